"""Ragged rows of codes held against a dict of lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.catalog import ragged
from homefeed.catalog.ragged import CodeRows, RaggedCodes

ROW = st.lists(st.integers(0, 5), max_size=6, unique=True)
WRITES = st.lists(st.dictionaries(st.integers(0, 30), ROW, max_size=6), max_size=8)


def written(*batches: dict[int, list[int]]) -> RaggedCodes:
    rows = RaggedCodes()
    for batch in batches:
        rows.set_many(np.fromiter(batch, np.int32, len(batch)), CodeRows.of(list(batch.values())))
    return rows


@given(batches=WRITES)
def test_a_row_is_what_was_written_last(batches: list[dict[int, list[int]]]) -> None:
    rows, expected = written(*batches).first(40), dict[int, list[int]]()
    for batch in batches:
        expected |= batch
    assert [rows[position].tolist() for position in range(40)] == [expected.get(n, []) for n in range(40)]
    for code in range(6):
        assert rows.having(code).tolist() == sorted(n for n, row in expected.items() if code in row)
    codes, lengths = rows.take(np.array([30, 3, 3], np.int32))
    wanted = [expected.get(n, []) for n in (30, 3, 3)]
    assert codes.tolist() == [code for row in wanted for code in row]
    assert lengths.tolist() == [len(row) for row in wanted]


def test_what_was_replaced_takes_no_memory_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ragged, "_MIN_WASTE", 100)
    rows = written({0: [1, 2], 1: [3]})
    for _ in range(1_000):
        rows.set_many(np.array([0], np.int32), CodeRows.of([[4, 5, 6]]))
    assert rows.first(2).codes.nbytes <= 4 * 4096
    assert [rows.first(2)[position].tolist() for position in (0, 1)] == [[4, 5, 6], [3]]


def test_a_reader_keeps_what_it_read_while_the_array_grows() -> None:
    rows = written({0: [1, 2, 3]})
    before = rows.first(1)
    rows.set_many(np.array([0], np.int32), CodeRows.of([list(range(10_000))]))
    # The row stands where the reader's array has nothing, and beyond its end.
    assert set(before[0].tolist()) == {-1}
    assert rows.first(1)[0].tolist() == list(range(10_000))
