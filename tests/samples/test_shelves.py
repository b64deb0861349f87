"""Shelves: what is there at a moment, by appeal."""

import numpy as np
import pytest

from homefeed.samples import Shelves

# Shelf 0: item 7 (appeal 3) from before the window, item 5 (appeal 1) from 105 on. Shelf 2: item 9 from 108 on.
SHELVES = Shelves.build(
    shelf=np.array([2, 0, 0], np.int32),
    item=np.array([9, 5, 7], np.int32),
    appeal=np.array([2.0, 1.0, 3.0]),
    arrival=np.array([108, 105, 3], np.int64),
    window=(100, 110),
)


def drawn(shelf: int, moment: int, *rolls: float) -> list[int]:
    items = SHELVES.draw(np.array([shelf], np.int32), np.array([moment], np.int64), np.array([rolls]))
    return [int(item) for item in items[0]]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [(100, [7, 7, 7, 7]), (104, [7, 7, 7, 7]), (105, [7, 7, 5, 5]), (110, [7, 7, 5, 5])],
)
def test_what_is_there_is_drawn_by_appeal(moment: int, expected: list[int]) -> None:
    assert drawn(0, moment, 0.0, 0.74, 0.76, 0.999) == expected


def test_nothing_is_drawn_from_an_empty_shelf_or_before_it_arrives() -> None:
    assert drawn(1, 110, 0.5) == [-1]
    assert drawn(2, 107, 0.0, 0.999) == [-1, -1]
    assert drawn(2, 108, 0.0, 0.999) == [9, 9]
    assert drawn(3, 110, 0.5) == [-1]


def test_each_shelf_has_its_own_moment() -> None:
    items = SHELVES.draw(np.array([2, 0, 2], np.int32), np.array([110, 100, 101], np.int64), np.full((3, 1), 0.9))
    assert items.tolist() == [[9], [7], [-1]]
