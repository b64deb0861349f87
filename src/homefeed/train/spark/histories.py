"""Who engaged with what, a row a user: the matrix of item-item models, in Spark."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as f

from homefeed.retrieve.arrays import Doubles, Rows, Starts
from homefeed.retrieve.item_item.matrix import scaled
from homefeed.types import Floats

_SUMS: Final = "item int, own double, total double"


class Scale(NamedTuple):
    """How strengths become entries: divided by their `mean`, of users weighed by their sum^-`user_exponent`."""

    mean: float
    user_exponent: float


class Users(NamedTuple):
    """Entries of some users in CSR form: `values` are r, `weighed` are r sqrt(w(u))."""

    starts: Starts
    items: Rows
    values: Floats
    weighed: Doubles


def histories(events: DataFrame, max_items_per_user: int) -> DataFrame:
    """Of each user the `items` they engaged with, rising, and the `strengths` of the strongest event on each.

    As `strengths_of` of item_item has them, before they are scaled: dislikes are left out, and of a user with more
    items than `max_items_per_user` the latest count, of equally late ones the first. Spark drops the others before
    it brings users together.
    """
    pairs = (
        events.where("strength > 0")
        .groupBy("user", "item")
        .agg(f.max("strength").alias("strength"), f.max("time").alias("time"))
    )
    latest = Window.partitionBy("user").orderBy(f.desc("time"), "item")
    kept = pairs.withColumn("place", f.row_number().over(latest)).where(f"place <= {max_items_per_user}")
    entries = f.sort_array(f.collect_list(f.struct("item", "strength")))
    rows = kept.groupBy("user").agg(entries.alias("entries"))
    return rows.select("user", f.col("entries.item").alias("items"), f.col("entries.strength").alias("strengths"))


def mean_of(histories: DataFrame) -> tuple[float, int]:
    """The mean strength, and the number of entries."""
    doubles = f.aggregate("strengths", f.lit(0.0), lambda total, strength: total + strength)
    row = histories.agg(f.sum(doubles), f.sum(f.size("items"))).first()
    count = 0 if row is None else int(row[1] or 0)
    return (float(row[0]) / count, count) if row is not None and count else (1.0, 0)


def sums_of(histories: DataFrame, scale: Scale, items: int) -> tuple[Floats, Floats]:
    """(items,) sums over users of w(u) r^2, which each shares with itself, and of r; 0 where there is none."""
    parts = histories.mapInArrow(partial(_sums, scale, items), _SUMS)
    table = parts.groupBy("item").agg(f.sum("own").alias("own"), f.sum("total").alias("total")).toArrow()
    own, total = np.zeros(items, np.float32), np.zeros(items, np.float32)
    places = np.asarray(table["item"])
    own[places], total[places] = np.asarray(table["own"]), np.asarray(table["total"])
    return own, total


def users_of(batch: pa.RecordBatch, scale: Scale) -> Users:
    """The entries of the users of a batch."""
    lists, strengths = batch.column("items"), batch.column("strengths").flatten()
    starts = np.asarray(lists.offsets).astype(np.int64)
    starts = starts - starts[0] if len(starts) else np.zeros(1, np.int64)
    values = scaled(np.asarray(strengths), np.float64(scale.mean))
    totals = np.add.reduceat(values, starts[:-1], dtype=np.float64) if len(values) else np.empty(0)
    weights = np.repeat(totals ** (-scale.user_exponent / 2), np.diff(starts))
    return Users(starts, np.asarray(lists.flatten()), values, values.astype(np.float64) * weights)


def _sums(scale: Scale, items: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    own, total = np.zeros(items), np.zeros(items)
    for users in (users_of(batch, scale) for batch in batches):
        own += np.bincount(users.items, users.weighed**2, items)
        total += np.bincount(users.items, users.values, items)
    there = np.flatnonzero(total).astype(np.int32)
    columns = [pa.array(there), pa.array(own[there]), pa.array(total[there])]
    yield pa.RecordBatch.from_arrays(columns, ["item", "own", "total"])
