"""Packed rows and ids held against a list and a dict."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.catalog import packed
from homefeed.catalog.packed import Ids, PackedRows

WRITES = st.lists(st.dictionaries(st.integers(0, 30), st.binary(max_size=9), max_size=6), max_size=8)


def written(*batches: dict[int, bytes]) -> PackedRows:
    rows = PackedRows()
    for batch in batches:
        rows.set_many(np.fromiter(batch, np.int32, len(batch)), list(batch.values()))
    return rows


@given(batches=WRITES)
def test_a_row_is_what_was_written_last(batches: list[dict[int, bytes]]) -> None:
    rows, expected = written(*batches), dict[int, bytes]()
    for batch in batches:
        expected |= batch
    assert len(rows) == max(expected, default=-1) + 1
    assert [rows.row(position) for position in range(40)] == [expected.get(n, b"") for n in range(40)]


@given(batches=WRITES, row=st.binary(max_size=2), size=st.integers(0, 40))
def test_which_rows_are_one(batches: list[dict[int, bytes]], row: bytes, size: int) -> None:
    rows = written(*batches)
    expected = [position < len(rows) and rows.row(position) == row for position in range(size)]
    if not row:
        expected = [position >= len(rows) or not rows.row(position) for position in range(size)]
    assert rows.equal_to(row, size).tolist() == expected


def test_a_row_as_text() -> None:
    rows = written({0: "é".encode(), 2: b"b"})
    assert [rows.text(position) for position in range(4)] == ["é", "", "b", ""]


def test_what_was_replaced_takes_no_memory_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_MIN_WASTE", 100)
    rows = written(dict.fromkeys(range(20), b"x" * 10))
    for n in range(100):
        rows.set_many(np.array([3, 7], np.int32), [b"%08d" % n, b""])
        assert len(rows._packed[0]) <= 2 * 200 + 10
    assert [rows.row(position) for position in (2, 3, 7, 19)] == [b"x" * 10, b"00000099", b"", b"x" * 10]


def test_a_row_longer_than_its_length_can_tell_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_MAX_LENGTH", 7)
    rows = written({0: b"1234567"})
    with pytest.raises(OverflowError, match="8 bytes"):
        rows.set_many(np.array([0, 1], np.int32), [b"a", b"12345678"])
    assert [rows.row(0), rows.row(1)] == [b"1234567", b""]


def test_readers_beside_a_writer_see_whole_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_MIN_WASTE", 1_000)
    rows = written({position: b"0" * (position + 1) for position in range(50)})
    done, seen = threading.Event(), set[bytes]()

    def read() -> None:
        while not done.is_set():
            seen.update(rows.row(position) for position in range(50))

    reader = threading.Thread(target=read)
    reader.start()
    for n in range(500):
        digit = b"%d" % (n % 10)
        rows.set_many(np.arange(50, dtype=np.int32), [digit * (position + 1) for position in range(50)])
    done.set()
    reader.join()
    assert all(len(set(row)) == 1 for row in seen)


@given(batches=st.lists(st.lists(st.text(max_size=3), max_size=20), max_size=6))
@pytest.mark.parametrize("max_recent", [0, 3, 1_000])
def test_ids_and_their_positions(max_recent: int, batches: list[list[str]]) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(packed, "_MAX_RECENT", max_recent)
        ids, expected = Ids(), dict[str, int]()
        for batch in batches:
            new = [item_id for item_id in dict.fromkeys(batch) if item_id not in expected]
            ids.extend(new)
            expected |= {item_id: len(expected) + place for place, item_id in enumerate(new)}
        assert len(ids) == len(expected)
        assert [ids[position] for position in range(len(ids))] == list(expected)
        wanted = [*expected, "none", "such"]
        assert [ids.find(item_id) for item_id in wanted] == [expected.get(item_id) for item_id in wanted]
        assert ids.find_many(wanted) == [expected.get(item_id) for item_id in wanted]


def test_ids_of_the_same_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "_MAX_RECENT", 0)
    monkeypatch.setattr(packed, "hash", len, raising=False)
    ids = Ids()
    ids.extend(["aa", "bb", "c"])
    ids.extend(["dd", "e"])
    names = ["aa", "bb", "c", "dd", "e", "zz", "z", "zzz"]
    assert [ids.find(item_id) for item_id in names] == [0, 1, 2, 3, 4, None, None, None]
    assert ids.find_many(names) == [0, 1, 2, 3, 4, None, None, None]


@pytest.mark.parametrize("position", [-1, 1])
def test_a_position_without_an_id(position: int) -> None:
    ids = Ids()
    ids.extend(["a"])
    with pytest.raises(IndexError):
        ids[position]
