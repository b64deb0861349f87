"""The numbers of retrievers where a recipe does not set them."""

from __future__ import annotations

from typing import Any

import pytest

from homefeed.recipe import Kind, find_part

DEFAULTS: list[tuple[Kind, str, dict[str, Any]]] = [
    (
        "retrieve",
        "diverse",
        {
            "events_weight": 1.0,
            "strength_weight": 1.0,
            "count_weight": 0.01,
            "history_days": 30.0,
            "categories": 8,
            "each": 10,
            "among": 30,
            "draw_hours": 24.0,
            "smoothing": 5.0,
            "contrast": 2.0,
            "seed": 0,
        },
    ),
    ("retrieve", "explore", {"max_age_days": 2.0, "max_events": 10, "slots": 2, "draw_hours": 1.0, "seed": 0}),
    ("retrieve", "fresh", {"max_age_days": 14.0}),
    ("retrieve", "popular", {"events_weight": 1.0, "strength_weight": 1.0}),
    (
        "retrieve",
        "rated",
        {
            "max_rating": 5.0,
            "min_rating": 1.0,
            "prior_count": 50.0,
            "rating_weight": 3.0,
            "count_weight": 1.0,
            "discount_weight": 1.0,
            "max_discount": 0.9,
        },
    ),
    (
        "retrieve",
        "searched",
        {"min_match": 0.5, "coverage": 1.0, "max_searches": 10, "max_matches": 500, "half_life_days": 7.0},
    ),
    ("retrieve", "semantic", {"min_match": 0.5, "coverage": 1.0, "min_similarity": 0.5}),
    (
        "retrieve",
        "top_categories",
        {"events_weight": 1.0, "strength_weight": 1.0, "count_weight": 0.01, "categories": 6, "each": 60},
    ),
    ("retrieve", "trending", {"min_strength": 2.0}),
]


@pytest.mark.parametrize(("kind", "name", "expected"), DEFAULTS)
def test_a_number_that_a_recipe_leaves_out_is_this_one(kind: Kind, name: str, expected: dict[str, Any]) -> None:
    fields = find_part(kind, name).Config.model_fields
    assert {field: fields[field].default for field in expected} == expected
