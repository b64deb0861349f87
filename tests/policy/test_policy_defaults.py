"""The numbers of filters and rerankers where a recipe does not set them."""

from __future__ import annotations

from typing import Any

import pytest

from homefeed.recipe import Kind, find_part

DEFAULTS: list[tuple[Kind, str, dict[str, Any]]] = [
    ("rerank", "caps", {"max_items": 2, "window": 10}),
    ("filter", "consumption_limit", {"share": 0.5, "value": 1800.0}),
    ("rerank", "diversity", {"balance": 0.8, "depth": 60}),
    ("rerank", "explore", {"places": (4, 9)}),
    ("rerank", "pins", {"max_pins": 2}),
    ("filter", "having", {"values": ("true", "yes", "y", "t", "1")}),
    ("filter", "permitted", {"values": ("true", "yes", "y", "t", "1")}),
    ("filter", "quality", {"min_value": 0.3}),
    ("filter", "within_km", {"keep_unknown": False}),
    ("filter", "reported", {"min_reports": 3, "overlap": False}),
]


@pytest.mark.parametrize(("kind", "name", "expected"), DEFAULTS)
def test_a_number_that_a_recipe_leaves_out_is_this_one(kind: Kind, name: str, expected: dict[str, Any]) -> None:
    fields = find_part(kind, name).Config.model_fields
    assert {field: fields[field].default for field in expected} == expected
