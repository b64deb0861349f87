"""Association rules of more events than one machine holds: pairs are counted on Spark."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import scipy.sparse as sp
from pyspark.ml.fpm import FPGrowth
from pyspark.sql import DataFrame
from pyspark.sql import functions as f

from homefeed.retrieve.arrays import Starts
from homefeed.retrieve.association.baskets import Baskets
from homefeed.retrieve.association.model import AssociationConfig, AssociationModel
from homefeed.retrieve.association.rules import Rules, counted_pairs, rules_of
from homefeed.retrieve.association.trainer import kept_rules, min_baskets_of, model_of
from homefeed.train.spark.baskets import baskets_by_user, baskets_of_batch, holders_of
from homefeed.train.spark.data import SparkData
from homefeed.train.spark.pairs import PAIRS_AT_ONCE, blocks, shared_by_users, summed
from homefeed.train.spark.sparse_rows import SCHEMA, SparseRows


class SparkAssociationTrainer:
    """`AssociationTrainer` with its baskets cut and its pairs counted on Spark: the same rules, to the last bit.

    Counts are whole numbers, and the rules that are kept are weighed by the local trainer's own functions, from
    those. Method `"fp_growth"` is MLlib's: it needs no library beside Spark. It mines sets of any size, of which
    pairs alone are used, so that where dozens of items are frequent together it takes time and memory without end:
    `"pairs"` finds the same rules and has no such case.
    """

    Config = AssociationConfig

    def __init__(self, config: AssociationConfig) -> None:
        self._config = config

    def fit(self, data: SparkData) -> AssociationModel:
        """The rules of every item, weightiest first."""
        config, items = self._config, data.about.item_count
        baskets = baskets_by_user(data.events, config.gap_minutes, config.max_items_per_basket).persist()
        try:
            own, count = holders_of(baskets, items, config.once_per_user)
            least = min_baskets_of(config, count)
            choice = partial(_weightiest, config, own, count, least)
            if config.method == "fp_growth":
                kept = summed(_mined(baskets, least, config.once_per_user), items, choice)
            else:
                counted = partial(_counted, items, config.once_per_user)
                kept = shared_by_users(baskets, items, counted, choice)
        finally:
            baskets.unpersist()
        return model_of(config, _rules(kept, own, count), own, count, data.about.numbers)


def _counted(items: int, once_per_user: bool, batch: pa.RecordBatch) -> Iterator[SparseRows]:
    """Of each item of the users of a batch how many owners have it in a basket with each other item."""
    baskets = baskets_of_batch(batch, items, once_per_user)
    sizes = np.diff(baskets.held.indptr).astype(np.int64)
    # Baskets of one owner are counted together.
    ends = np.flatnonzero(np.diff(baskets.owners, append=-1)) + 1
    work = np.add.reduceat(sizes**2, np.append(0, ends[:-1])) if len(sizes) else sizes
    for chosen in blocks(work, PAIRS_AT_ONCE):
        start = ends[chosen.start - 1] if chosen.start else 0
        yield from _pairs_of(baskets, slice(start, ends[chosen.stop - 1]))


def _pairs_of(baskets: Baskets, chosen: slice) -> Iterator[SparseRows]:
    held = baskets.held[chosen]
    items, columns = np.unique(held.indices, return_inverse=True)
    few = sp.csr_array((held.data, columns.astype(np.int32), held.indptr), shape=(held.shape[0], len(items)))
    for rows, others, together in counted_pairs(Baskets(few, baskets.owners[chosen]), 1):
        starts = np.searchsorted(rows, np.arange(len(items) + 1)).astype(np.int64)
        yield SparseRows(items, starts, items[others], together.astype(np.float64), together)


def _mined(baskets: DataFrame, min_baskets: int, once_per_user: bool) -> DataFrame:
    """The pairs that enough baskets hold, each a sparse row of one entry, and how many owners have both."""
    each = baskets.select("user", f.posexplode("baskets").alias("basket", "items"))
    # Half a basket less: the library multiplies the share by the number of baskets and rounds up.
    share = (min_baskets - 0.5) / max(each.count(), 1)
    frequent = FPGrowth(itemsCol="items", minSupport=min(share, 1.0)).fit(each).freqItemsets
    pairs = frequent.where(f.size("items") == 2).select(
        f.array_min("items").alias("item"), f.array_max("items").alias("other"), f.col("freq").alias("together")
    )
    if once_per_user:
        held = each.select("user", "basket", f.explode("items").alias("item"))
        other = held.withColumnRenamed("item", "other")
        both = held.join(other, ["user", "basket"]).join(
            f.broadcast(pairs.select("item", "other")), ["item", "other"]
        )
        pairs = both.groupBy("item", "other").agg(f.countDistinct("user").alias("together"))
    turned = pairs.select(f.col("other").alias("item"), f.col("item").alias("other"), "together")
    return pairs.union(turned).mapInArrow(_single_entries, SCHEMA)


def _single_entries(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        rows, others, together = (np.asarray(column) for column in batch.columns)
        starts = np.arange(len(rows) + 1)
        yield SparseRows(rows, starts, others, together.astype(np.float64), together.astype(np.int32)).batch()


def _weightiest(config: AssociationConfig, own: Starts, count: int, least: int, pairs: SparseRows) -> SparseRows:
    """The entries of the rules that are kept, of each item the weightiest first."""
    frequent = pairs.chosen(pairs.counts >= least)
    order: npt.NDArray[np.intp] = kept_rules(config, _rules(frequent, own, count), own, count)
    return frequent.chosen(order)


def _rules(pairs: SparseRows, own: Starts, count: int) -> Rules:
    antecedents = np.repeat(pairs.rows, np.diff(pairs.starts))
    return rules_of(antecedents, pairs.columns, pairs.counts, own, count)
