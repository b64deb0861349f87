"""The numbers of features where a recipe does not set them."""

from __future__ import annotations

from typing import Any

import pytest

from homefeed.recipe import Kind, find_part

DEFAULTS: list[tuple[Kind, str, dict[str, Any]]] = [
    ("features", "affinity", {"half_life_days": 60.0, "scale": 2.0}),
    ("features", "age", {"max_days": 3650.0}),
    ("features", "context", {"utc_offset_hours": 0.0}),
    ("features", "distance", {"unknown_km": 20_100.0}),
    ("features", "local", {"strength": None, "max_strength": 1.0}),
    ("features", "number", {"max_value": 1.0, "log": False, "unknown": 0.0}),
    ("features", "user_number", {"max_value": 1.0, "log": False, "unknown": 0.0}),
    (
        "features",
        "price_fit",
        {"field": "price", "scale": 0.7, "min_items": 3, "max_events": 50, "half_life_days": 30.0},
    ),
    ("features", "quality", {"unknown": 0.6, "good": 0.7}),
    ("features", "recency", {"half_life_days": 3.0}),
    ("features", "repeats", {"of": (), "half_life_days": 7.0}),
    ("features", "similarity", {"model": "content", "last": 5, "max_events": 50}),
    ("features", "tag_overlap", {"interests_weight": 1.0, "max_events": 50, "half_life_days": 30.0}),
]


@pytest.mark.parametrize(("kind", "name", "expected"), DEFAULTS)
def test_a_number_that_a_recipe_leaves_out_is_this_one(kind: Kind, name: str, expected: dict[str, Any]) -> None:
    fields = find_part(kind, name).Config.model_fields
    assert {field: fields[field].default for field in expected} == expected
