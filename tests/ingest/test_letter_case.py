"""Letter case of cells, by a setting of their column."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from homefeed.errors import RecipeError
from homefeed.ingest.mapping import event_layout

if TYPE_CHECKING:
    from tests.ingest.conftest import World

CELLS = pl.DataFrame({"kind": ["View", "VIEW", "addToCart", None]})


def types(world: World, spec: dict[str, Any]) -> list[str | None]:
    columns = {"event_type": {"column": "kind", **spec}}
    recipe = world.recipe(events={"play": {}, "view": {}}, sources={"events": {"columns": columns}})
    layout = event_layout(
        recipe, Path("f.csv"), ("user_id", "item_id", "kind", "timestamp", "watch_seconds", "value")
    )
    return layout.cells(CELLS, "event_type").to_list()


def test_letters_are_made_equal_before_the_map(world: World) -> None:
    assert types(world, {}) == ["View", "VIEW", "addToCart", None]
    assert types(world, {"case": "lower"}) == ["view", "view", "addtocart", None]
    assert types(world, {"case": "upper"}) == ["VIEW", "VIEW", "ADDTOCART", None]
    assert types(world, {"case": "lower", "map": {"view": "view", "addtocart": "play"}}) == [
        "view",
        "view",
        "play",
        None,
    ]


def test_a_key_that_no_cell_meets_is_refused(world: World) -> None:
    with pytest.raises(RecipeError, match='with case = "lower" no cell is ever "View"'):
        types(world, {"case": "lower", "map": {"View": "view"}})
