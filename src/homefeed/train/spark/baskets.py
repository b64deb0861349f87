"""What users chose on one occasion, a row a user: the baskets of association rules, in Spark."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as f

from homefeed.retrieve.arrays import Starts
from homefeed.retrieve.association.baskets import Baskets
from homefeed.types import SECOND

_MINUTE: Final = 60 * SECOND
_HOLDERS: Final = "item int, holders long"
_ALL: Final = -1
"""The item of the number of owners in all."""


def baskets_by_user(events: DataFrame, gap_minutes: float, max_items_per_basket: int) -> DataFrame:
    """Of each user the `baskets` of two items and more, each rising: those of `baskets_of` of association."""
    in_time = Window.partitionBy("user").orderBy("time", "seq")
    gap = f.col("time") - f.lag("time").over(in_time)
    begins = f.coalesce((gap.cast("double") > gap_minutes * _MINUTE).cast("long"), f.lit(0))
    likes = events.where("strength > 0").withColumn("begins", begins)
    cut = likes.withColumn("basket", f.sum("begins").over(in_time))
    held = cut.groupBy("user", "basket", "item").agg(f.max(f.struct("time", "seq")).alias("last"))
    latest = Window.partitionBy("user", "basket").orderBy(f.desc("last"))
    kept = held.withColumn("place", f.row_number().over(latest)).where(f"place <= {max_items_per_basket}")
    baskets = kept.groupBy("user", "basket").agg(f.sort_array(f.collect_list("item")).alias("items"))
    several = baskets.where(f.size("items") >= 2)
    return several.groupBy("user").agg(f.collect_list("items").alias("baskets"))


def holders_of(baskets: DataFrame, items: int, once_per_user: bool) -> tuple[Starts, int]:
    """(items,) how many owners hold each in a basket, and how many owners there are."""
    parts = baskets.mapInArrow(partial(_holders, items, once_per_user), _HOLDERS)
    table = parts.groupBy("item").agg(f.sum("holders").alias("holders")).toArrow()
    found, counts = np.asarray(table["item"]), np.asarray(table["holders"])
    own = np.zeros(items, np.int64)
    own[found[found != _ALL]] = counts[found != _ALL]
    return own, int(counts[found == _ALL].sum())


def baskets_of_batch(batch: pa.RecordBatch, items: int, once_per_user: bool) -> Baskets:
    """The baskets of the users of a batch."""
    of_users = batch.column("baskets")
    lists = of_users.flatten()
    sizes = np.diff(np.asarray(lists.offsets)) if len(lists) else np.empty(0, np.int64)
    entries = np.asarray(lists.flatten()).astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    held = sp.csr_array((np.ones(len(entries), np.int32), entries, starts), shape=(len(sizes), items))
    each = np.arange(len(sizes))
    owners = np.repeat(np.arange(len(batch)), np.diff(np.asarray(of_users.offsets))) if once_per_user else each
    return Baskets(held, owners.astype(np.int32))


def _holders(items: int, once_per_user: bool, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    own, owners = np.zeros(items, np.int64), 0
    for batch in batches:
        baskets = baskets_of_batch(batch, items, once_per_user)
        own += baskets.holders()
        owners += baskets.count
    there = np.flatnonzero(own)
    found, counts = np.append(there, _ALL).astype(np.int32), np.append(own[there], owners)
    yield pa.RecordBatch.from_arrays([pa.array(found), pa.array(counts)], ["item", "holders"])
