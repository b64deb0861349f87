"""The index of a live catalogue: moves and new items at once, a tree anew only where many have moved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homefeed.catalog import CatalogView
from homefeed.catalog.place_index import PlaceIndex
from homefeed.errors import RecipeError
from homefeed.geo import Place
from homefeed.types import Item

HERE = Place(48.8566, 2.3522)


def catalog(**fields: str) -> CatalogView:
    return CatalogView({"title": "text", "location": "location", **fields}, "title", place="location")


def at(n: int, longitude: float | None, *, hidden: bool = False, **attributes: Any) -> Item:
    """An item on the parallel of 10 degrees; without a place where no longitude is told."""
    place = {} if longitude is None else {"location": {"latitude": 10.0, "longitude": longitude}}
    return Item(f"i{n}", n + 1, place | attributes, None, hidden)


def found(index: PlaceIndex, items: CatalogView, longitude: float, k: int = 3) -> list[str]:
    positions, kms = index.nearest(Place(10, longitude), items.available, k)
    assert (np.diff(kms) >= 0).all()
    return [items.item_id(position) for position in positions.tolist()]


def test_a_move_and_a_new_item_are_found_at_once_without_a_new_tree() -> None:
    items = catalog()
    items.apply([at(n, n) for n in range(20)])
    index = PlaceIndex.of(items)
    assert found(index, items, 4.1) == ["i4", "i5", "i3"]
    items.apply([at(4, -60), at(20, 4.2), at(5, None)])
    assert found(index, items, 4.1) == ["i20", "i3", "i6"]
    assert found(index, items, -60, 1) == ["i4"]
    items.apply([at(4, 4)])
    assert found(index, items, 4.1, 2) == ["i4", "i20"], "back where it was"
    index.refresh()
    assert index.rebuilds == 1


def test_status_is_the_mask_and_a_matter_of_no_tree() -> None:
    items = catalog(is_live="category")
    items.apply([at(n, n, is_live=True) for n in range(20)])
    index = PlaceIndex.of(items)
    index.refresh()
    items.apply([at(n, n, is_live=False, hidden=n == 7) for n in range(20)])
    assert found(index, items, 7, 1) == ["i6"]
    assert len(index._now()[1]) == 0, "none has moved"


def test_a_tree_is_built_anew_beside_the_requests_where_many_have_moved() -> None:
    items = catalog()
    items.apply([at(n, n / 10) for n in range(600)])
    index = PlaceIndex.of(items)
    index.refresh()
    items.apply([at(n, -n / 10) for n in range(513)])
    assert found(index, items, -20, 1) == ["i200"]
    assert (index.rebuilds, len(index._now()[1])) == (1, 512), "i0 is where it was"
    items.apply([at(600, 90)])
    index.refresh()
    assert (index.rebuilds, len(index._now()[1])) == (2, 0)
    assert found(index, items, -20, 1) == ["i200"]
    assert found(index, items, 90, 1) == ["i600"]


def test_an_item_that_moves_while_a_tree_is_built_is_found_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    items = catalog()
    items.apply([at(n, n) for n in range(20)])
    index = PlaceIndex.of(items)
    built = PlaceIndex._built

    def meanwhile(self: PlaceIndex) -> Any:
        state = built(self)
        items.apply([at(3, 50)])
        return state

    monkeypatch.setattr(PlaceIndex, "_built", meanwhile)
    index.refresh()
    assert found(index, items, 3, 2) == ["i2", "i4"]
    assert found(index, items, 50, 1) == ["i3"]


def test_an_empty_catalogue_grows() -> None:
    items = catalog()
    index = PlaceIndex.of(items)
    index.refresh()
    assert found(index, items, 0) == []
    assert index.within(HERE, 20_000).tolist() == []
    items.apply([at(0, 1), at(1, None)])
    assert found(index, items, 0) == ["i0"]


def test_parts_share_one_index_a_field() -> None:
    items = catalog(home="location")
    assert PlaceIndex.of(items) is PlaceIndex.of(items, "location") is not PlaceIndex.of(items, "home")
    with pytest.raises(RecipeError, match='is declared as "text"'):
        PlaceIndex.of(items, "title")


moves = st.lists(st.tuples(st.integers(0, 30), st.none() | st.integers(-180, 180), st.booleans()), max_size=8)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(moves, st.booleans()), max_size=8), st.integers(-180, 180))
def test_whatever_moves_and_whenever_it_is_refreshed_it_finds_what_is_there(
    batches: list[tuple[list[tuple[int, int | None, bool]], bool]], longitude: int
) -> None:
    items = catalog()
    index = PlaceIndex.of(items)
    for batch, refreshed in batches:
        items.apply([at(n, east, hidden=hidden) for n, east, hidden in batch])
        if refreshed:
            index.refresh()
        place, mask = Place(10, longitude), items.available
        column = items.located(None)
        kms = column.distances_km(place, np.arange(items.size, dtype=np.int32), items.size)
        order = [n for n in np.lexsort((np.arange(len(kms)), kms)).tolist() if not np.isnan(kms[n])]
        assert index.nearest(place, mask, 5)[0].tolist() == [n for n in order if mask[n]][:5]
        assert sorted(index.within(place, 2_000).tolist()) == sorted(n for n in order if kms[n] <= 2_000)
