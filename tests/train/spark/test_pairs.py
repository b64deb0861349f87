"""Pairs of what users share: in blocks of users, and summed over the blocks."""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.retrieve.item_item.item_item_sample import Dense, dense_gram, tables

from homefeed.train.spark import item_item
from homefeed.train.spark.histories import Scale
from homefeed.train.spark.pairs import _products, _summed, blocks
from homefeed.train.spark.sparse_rows import SparseRows


@given(pairs=st.lists(st.integers(0, 50), max_size=20), most=st.integers(1, 60))
def test_no_block_has_too_many_pairs_unless_one_user_has(pairs: list[int], most: int) -> None:
    found = list(blocks(np.array(pairs, np.int64), most))
    assert [place for block in found for place in range(block.start, block.stop)] == list(range(len(pairs)))
    assert all(sum(pairs[block]) <= most or block.stop - block.start == 1 for block in found)


def users(table: Dense) -> pa.RecordBatch:
    """A batch as `histories` has it, without users of nothing."""
    table = table[table.any(axis=1)]
    items = [np.flatnonzero(row).tolist() for row in table]
    strengths = [row[row > 0].tolist() for row in table]
    columns = [
        pa.array(range(len(table)), pa.int32()),
        pa.array(items, pa.list_(pa.int32())),
        pa.array(strengths, pa.list_(pa.float32())),
    ]
    return pa.RecordBatch.from_arrays(columns, ["user", "items", "strengths"])


@pytest.mark.parametrize("at_once", [1, 20, 1_000])
@settings(max_examples=20, deadline=None)
@given(table=tables, cut=st.integers(0, 8))
def test_what_items_share_by_numpy(at_once: int, table: Dense, cut: int) -> None:
    shared = partial(item_item._shared, Scale(1.0, 0.6), True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(item_item, "PAIRS_AT_ONCE", at_once)
        batch = users(table)
        parts = list(map(SparseRows.of, _products(shared, iter([batch.slice(0, cut), batch.slice(cut)]))))
    # As Spark brings them: those of an item one after another.
    rows = [(row, part, place) for part in parts for place, row in enumerate(part.rows.tolist())]
    ordered = sorted(rows, key=lambda row: row[0])
    batches = (part.batch().slice(place, 1) for _, part, place in ordered)
    gram, counts = np.zeros((2, table.shape[1], table.shape[1]))
    done: list[int] = []
    for found in map(SparseRows.of, _summed(table.shape[1], lambda whole: whole, batches)):
        done += found.rows.tolist()
        at = np.repeat(found.rows, np.diff(found.starts)), found.columns
        assert sorted(zip(*at, strict=True)) == list(zip(*at, strict=True))
        gram[at], counts[at] = found.values, found.counts
    assert done == sorted(set(done))
    expected = dense_gram(table, 0.6)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(gram, expected, rtol=1e-6)
    common = (table > 0).T.astype(int) @ (table > 0)
    np.testing.assert_array_equal(counts, common - np.diag(np.diagonal(common)))
