"""Rows of a sparse matrix as bytes, and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from homefeed.train.spark.sparse_rows import SparseRows, joined

lists = st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=6)


def sparse(rows: Sequence[Sequence[int]], first: int = 0) -> SparseRows:
    """Rows from `first` on of such columns; a value is 10 row + column, a count one more."""
    columns = np.array([column for row in rows for column in row], np.int32)
    of_rows = np.repeat(np.arange(first, first + len(rows)), [len(row) for row in rows]).astype(np.int64)
    starts = np.cumsum([0, *map(len, rows)]).astype(np.int64)
    values = np.asarray(10 * of_rows + columns, np.float64)
    names = np.arange(first, first + len(rows), dtype=np.int32)
    return SparseRows(names, starts, columns, values, values.astype(np.int32) + 1)


def check_equal(found: SparseRows, expected: SparseRows) -> None:
    for name, one, other in zip(SparseRows._fields, found, expected, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=name)


@given(rows=lists, start=st.integers(0, 6), length=st.integers(0, 6))
def test_a_batch_or_a_part_of_one_comes_back(rows: list[list[int]], start: int, length: int) -> None:
    whole = sparse(rows)
    check_equal(SparseRows.of(whole.batch()), whole)
    check_equal(SparseRows.of(whole.without_counts().batch()), whole.without_counts())
    part = SparseRows.of(whole.batch().slice(min(start, len(rows)), length))
    check_equal(part, sparse(rows[start : start + length], min(start, len(rows))))


@given(rows=lists, other=lists, data=st.data())
def test_parts_are_joined_by_rising_row(
    rows: list[list[int]], other: list[list[int]], data: st.DataObject
) -> None:
    whole = sparse([*rows, *other])
    parts = data.draw(st.permutations([sparse(rows), sparse(other, len(rows))]))
    check_equal(joined(parts), whole)
    check_equal(joined([whole.without_counts()]), whole.without_counts())
    assert len(joined([]).rows) == 0


@given(rows=lists, data=st.data())
def test_chosen_entries_stay_in_their_rows(rows: list[list[int]], data: st.DataObject) -> None:
    whole = sparse(rows)
    size = len(whole.columns)
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), np.bool_)
    flags = iter(kept.tolist())
    expected = sparse([[column for column in row if next(flags)] for row in rows])
    check_equal(whole.chosen(kept), expected)
    check_equal(whole.chosen(np.flatnonzero(kept)), expected)
