"""Columns that can be appended to."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from homefeed.catalog.growable import Growable


@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(-9, 9)), max_size=20))
def test_rows_hold_what_was_written_and_the_fill_elsewhere(writes: list[tuple[int, int]]) -> None:
    column, expected = Growable(np.int32, -1), list[int]()
    for row, value in writes:
        expected += [-1] * (row + 1 - len(expected))
        expected[row] = value
        column.set(row, value)
    assert column.view.tolist() == expected
    assert len(column) == len(expected)


def test_growing_never_shrinks() -> None:
    column = Growable(np.float64, 0.0)
    column.grow(5)
    column.grow(2)
    assert column.view.tolist() == [0.0] * 5


def test_a_view_shows_later_writes() -> None:
    column = Growable(np.int64, 0)
    column.grow(2)
    seen = column.view
    column.set(1, 7)
    assert seen.tolist() == [0, 7]


def test_many_rows_at_once() -> None:
    column = Growable(np.int32, -1)
    column.set_many(np.array([2, 0]), [7, 5])
    column.set_many(np.array([2, 3]), 9)
    column.set_many(np.array([], np.int32), [])
    assert column.view.tolist() == [5, -1, 9, 9]
