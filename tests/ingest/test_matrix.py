"""Counting pairs."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.ingest.matrix import DistinctCounter, MatrixCounter, mixed


def test_counts_exactly_while_it_can() -> None:
    counter = MatrixCounter()
    counter.add(np.array([1, 1, 5], np.int32), np.array([2, 2, 9], np.int32))
    counter.add(np.array([], np.int32), np.array([], np.int32))
    counter.add(np.array([1, 5], np.int32), np.array([9, 9], np.int32))
    matrix = counter.matrix(4, 10)
    assert (matrix.active_users, matrix.active_items, matrix.pairs, matrix.estimated) == (2, 2, 3, False)
    assert matrix.density == 3 / 40
    assert MatrixCounter().matrix(0, 0).density == 0.0


@pytest.mark.parametrize("count", [900, 1000, 1001, 50_000])
def test_estimates_beyond_its_memory_and_says_so(count: int) -> None:
    counter = DistinctCounter(kept=1000)
    codes = mixed(np.arange(count, dtype=np.uint64))
    for part in np.array_split(np.concatenate([codes, codes]), 37):
        counter.add(part)
    found, estimated = counter.count()
    assert estimated == (count > 1000)
    assert found == count if not estimated else abs(found - count) < 0.15 * count


def test_mixing_keeps_distinct_codes_distinct() -> None:
    assert len(np.unique(mixed(np.arange(100_000, dtype=np.uint64)))) == 100_000
