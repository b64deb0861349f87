"""What items share through their users: summed within blocks of users, then item by item over the blocks.

A block of users becomes one sparse row an item before anything is shuffled, so that neither a very active user nor
an item that everybody has makes a row for each pair. No task holds more than a block, or one row of all items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame

from homefeed.retrieve.arrays import Starts
from homefeed.train.spark.pair_kernels import sum_rows
from homefeed.train.spark.sparse_rows import NO_ROWS, SCHEMA, SparseRows, gathered

Products: TypeAlias = Callable[[pa.RecordBatch], Iterator[SparseRows]]
"""From users to what items share through them, some users at a time."""
Choice: TypeAlias = Callable[[SparseRows], SparseRows]
"""From all that some items share to the entries that are kept."""

PAIRS_AT_ONCE: Final = 8_000_000
"""So many pairs of a block of users at most, or those of one user: 130 MB before they are summed."""


def shared_by_users(users: DataFrame, items: int, products: Products, choice: Choice) -> SparseRows:
    """What is kept of what items share through all users, on the driver."""
    partial_sums = users.mapInArrow(partial(_products, products), SCHEMA)
    return summed(partial_sums, items, choice)


def summed(partial_sums: DataFrame, items: int, choice: Choice) -> SparseRows:
    """What is kept of the sums of sparse rows (items,) of the same item, on the driver."""
    by_item = partial_sums.repartition("row").sortWithinPartitions("row")
    return gathered(by_item.mapInArrow(partial(_summed, items, choice), SCHEMA))


def blocks(pairs: Starts, most: int) -> Iterator[slice]:
    """Ranges of users of so many pairs at most, of one user at least; `pairs` (users,) are those of each."""
    ends = np.concatenate([[0], np.cumsum(pairs)])
    start = 0
    while start < len(pairs):
        stop = max(int(np.searchsorted(ends, ends[start] + most, side="right")) - 1, start + 1)
        yield slice(start, stop)
        start = stop


def _products(products: Products, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for part in products(batch):
            yield part.batch()


def _summed(items: int, choice: Choice, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    state = np.array([-1, 0], np.int64)
    so_far = np.zeros(items), np.zeros(items, np.int32), np.empty(items, np.int32)
    for part in map(SparseRows.of, batches):
        yield choice(SparseRows(*sum_rows(*part, state, *so_far))).batch()
    # No row is called so: it completes the last.
    last = NO_ROWS._replace(rows=np.array([-2], np.int32), starts=np.zeros(2, np.int64))
    yield choice(SparseRows(*sum_rows(*last, state, *so_far))).batch()
