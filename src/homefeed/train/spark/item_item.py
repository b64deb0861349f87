"""The item-item model, of more events than one machine holds: what items share is summed on Spark."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from homefeed.retrieve.arrays import Doubles, Rows, Starts
from homefeed.retrieve.content.words import check_fields
from homefeed.retrieve.item_item.gram import Gram, both_ways, strongest
from homefeed.retrieve.item_item.matrix import Matrix, scaled
from homefeed.retrieve.item_item.model import ItemItemConfig, ItemItemModel
from homefeed.retrieve.item_item.trainer import ItemItemTrainer
from homefeed.train.spark.data import SparkData
from homefeed.train.spark.histories import Scale, Users, histories, mean_of, sums_of, users_of
from homefeed.train.spark.pair_kernels import products
from homefeed.train.spark.pairs import PAIRS_AT_ONCE, blocks, shared_by_users
from homefeed.train.spark.sparse_rows import SCHEMA, SparseRows, gathered
from homefeed.types import Floats

_ENTRIES: Final = 20_000_000
"""So many entries of the matrix are on the driver, or as many as the Gram matrix has there."""
_SHARES: Final = 1 << 20


class SparkItemItemTrainer:
    """`ItemItemTrainer` with the Gram matrix, its diagonal and the items' sums made on Spark: all that grows with
    users and events. The views, their blend and the lists are made by the same code on the driver, where memory
    grows with items times `candidates`.

    Sums are made as float64 and kept as float32, where the local trainer adds float32: they differ by rounding.
    Of equally near items at the end of the `candidates` those of the first positions are kept; locally it is those
    that came up first. As long as the matrix has no more than 20 million entries, or no more than the Gram matrix
    has, the driver takes it for the spectral view and the spread of the views, as locally. Of a larger one it
    takes so large a random part of the users for the spread, the same for the same seed, and the spectral view is
    that of `spectral_of_pairs`, by the `candidates` nearest of each item.
    """

    Config = ItemItemConfig

    def __init__(self, config: ItemItemConfig, entries: int = _ENTRIES) -> None:
        self._config, self._entries = config, entries

    def fit(self, data: SparkData) -> ItemItemModel:
        """Neighbour lists of every item.

        Raises:
            HomefeedError: a configured field is not declared by the recipe.
        """
        config, about = self._config, data.about
        check_fields(about, config.fields, "item_item")
        rows = histories(data.events, config.max_items_per_user).persist()
        try:
            mean, entries = mean_of(rows)
            scale = Scale(mean, config.user_exponent)
            own, totals = sums_of(rows, scale, about.item_count)
            gram, patterns = self._gram(rows, scale, own), None
            share = min(max(self._entries, len(gram.others)) / max(entries, 1), 1.0)
            matrix = _matrix(rows, np.float64(mean), share, (about.user_count, about.item_count), about.seed)
            if share < 1 and config.spectral:
                scale = scale._replace(user_exponent=1.0)
                patterns = self._gram(rows, scale, sums_of(rows, scale, about.item_count)[0])
        finally:
            rows.unpersist()
        totals[totals <= 0] = 1
        return ItemItemTrainer(config).fit_shared(about, gram, matrix, totals, patterns)

    def _gram(self, rows: DataFrame, scale: Scale, own: Floats) -> Gram:
        config = self._config
        choice = partial(_nearest, np.sqrt(own), config.candidates, config.min_users)
        kept = shared_by_users(rows, len(own), partial(_shared, scale, config.min_users > 1), choice)
        starts = kept.starts[np.searchsorted(kept.rows, np.arange(len(own) + 1))]
        return Gram(*both_ways(starts, kept.columns, kept.values.astype(np.float32)), own)


def _shared(scale: Scale, counted: bool, batch: pa.RecordBatch) -> Iterator[SparseRows]:
    """What items share through the users of a batch."""
    users = users_of(batch, scale)
    sizes = np.diff(users.starts)
    for chosen in blocks(sizes**2, PAIRS_AT_ONCE):
        part = _products(users, chosen, int((sizes[chosen] * (sizes[chosen] - 1)).sum()))
        yield part if counted else part.without_counts()


def _products(users: Users, chosen: slice, pairs: int) -> SparseRows:
    starts = users.starts[chosen.start : chosen.stop + 1]
    entries = slice(starts[0], starts[-1])
    items, columns = np.unique(users.items[entries], return_inverse=True)
    shape = len(starts) - 1, len(items)
    matrix = sp.csr_array((users.weighed[entries], columns.astype(np.int32), starts - starts[0]), shape=shape)
    by_item = sp.csr_array(matrix.T)
    room = min(pairs, len(items) ** 2)
    found, others, values, counts = products(*_parts(by_item), *_parts(matrix), room)
    return SparseRows(items.astype(np.int32), found, items[others].astype(np.int32), values, counts)


def _parts(matrix: sp.csr_array[np.float64]) -> tuple[Starts, Rows, Doubles]:
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32, copy=False), matrix.data


def _nearest(lengths: Floats, most: int, min_users: int, shared: SparseRows) -> SparseRows:
    """The `most` nearest of each item by cosine that `min_users` share."""
    cosines = shared.values.astype(np.float32) / lengths[shared.columns]
    if min_users > 1:
        cosines[shared.counts < min_users] = 0
    return shared.chosen(strongest(shared.starts, cosines, most)).without_counts()


def _matrix(rows: DataFrame, mean: np.float64, share: float, shape: tuple[int, int], seed: int) -> Matrix:
    """(users, items) the entries of all users, or of a share of those that have any."""
    if share < 1:
        rows = rows.where(f.pmod(f.xxhash64("user", f.lit(seed)), f.lit(_SHARES)) < int(share * _SHARES))
    users = gathered(rows.mapInArrow(_as_sparse, SCHEMA))
    lengths, values = np.zeros(shape[0], np.int64), scaled(users.values.astype(np.float32), mean)
    lengths[users.rows] = np.diff(users.starts)
    lengths = lengths if share == 1 else lengths[users.rows]
    parts = values, users.columns, np.concatenate([[0], np.cumsum(lengths)])
    return sp.csr_array(parts, shape=(len(lengths), shape[1]))


def _as_sparse(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        users = users_of(batch, Scale(1.0, 0.0))
        strengths = np.asarray(batch.column("strengths").flatten()).astype(np.float64)
        none = np.empty(0, np.int32)
        yield SparseRows(np.asarray(batch.column("user")), users.starts, users.items, strengths, none).batch()
