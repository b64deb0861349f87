"""Groups: which items are together, after any changes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from homefeed.catalog import CatalogView
from homefeed.catalog.groups import Groups
from homefeed.testing import make_world, toy_item
from homefeed.types import Positions


def by_title(catalog: CatalogView) -> Groups:
    def keys(positions: Positions) -> Iterator[tuple[int, str | None]]:
        for position in positions.tolist():
            yield position, "".join(catalog.terms_at("title", position)) or None

    return Groups(catalog, keys)


def saying(*titles: str) -> CatalogView:
    return make_world([toy_item(n, f"i{n}", 1, title=title) for n, title in enumerate(titles)], ()).catalog


def twins(groups: Groups, *items: int) -> set[int]:
    return set(groups.twins(np.array(items, np.int32)).tolist())


def test_items_of_a_key_are_together_and_one_without_stays_alone() -> None:
    groups = by_title(saying("a", "b", "a", "", "", "a"))
    codes = groups.of_all().tolist()
    assert codes[0] == codes[2] == codes[5]
    assert len({codes[n] for n in (0, 1, 3, 4)}) == 4
    assert groups.has_any
    assert twins(groups, 0) == {2, 5}
    assert twins(groups, 0, 2) == {5}
    assert twins(groups, 1) == twins(groups, 3) == twins(groups) == set()


def test_no_two_together_are_no_groups() -> None:
    catalog = saying("a", "b", "")
    groups = by_title(catalog)
    found = [groups.has_any]
    for position, title in ((1, "a"), (0, "b")):
        catalog.apply([toy_item(position, f"i{position}", 1, title=title)])
        groups.of_all()
        found.append(groups.has_any)
    assert found == [False, True, False]


@given(st.lists(st.tuples(st.integers(0, 7), st.sampled_from(["a", "b", "c", ""])), max_size=30))
def test_groups_are_those_of_the_keys_now(changes: list[tuple[int, str]]) -> None:
    catalog = saying("a", "b", "c", "a", "")
    titles, groups = dict(enumerate(["a", "b", "c", "a", ""])), by_title(catalog)
    for wanted, title in changes:
        position = min(wanted, len(titles))
        catalog.apply([toy_item(position, f"i{position}", 1, title=title)])
        titles[position] = title
        groups.of_all()
        for item, own in titles.items():
            assert twins(groups, item) == {n for n, other in titles.items() if own == other and own and n != item}
