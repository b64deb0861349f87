"""Strengths on Spark: the typical full value of each item, and what each event says by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as sql
from pyspark.sql.pandas.types import from_arrow_schema

from homefeed.catalog import EventWeights, strengths
from homefeed.catalog.signals import Quantiles
from homefeed.engine import event_weights
from homefeed.engine.strengths import item_full
from homefeed.recipe import Recipe
from homefeed.train.spark.data import EVENTS, SparkData
from homefeed.types import Floats, Numbers, TrainingData


@dataclass(frozen=True, slots=True)
class SparkPrepared:
    """Training data with its strengths, and the typical full values they were measured by: see `Prepared`."""

    data: SparkData
    full: Floats
    group_full: Mapping[str, float]


@contextmanager
def prepared_on_spark(recipe: Recipe, events: DataFrame, about: TrainingData) -> Iterator[SparkPrepared]:
    """Give events rows of users and strengths; they are kept in Spark until the context ends.

    `events` have user (a permanent number), item, type, value, time and seq; `about` knows the items. All is equal
    to the last bit to what `prepare` makes of the same events: strengths by the same code, quantiles by counting.
    """
    users = np.sort(events.select("user").distinct().toArrow()["user"].to_numpy()).astype(np.int32)
    about = replace(about, user_count=len(users), user_numbers=users)
    full, groups = item_full(recipe, about, _quantiles(recipe, events, about.item_count))
    finish = partial(_finished, users=users, full=full, weights=event_weights(recipe))
    found = events.mapInArrow(finish, from_arrow_schema(EVENTS)).persist()
    try:
        yield SparkPrepared(SparkData(found, about), full, groups)
    finally:
        found.unpersist()


def _quantiles(recipe: Recipe, events: DataFrame, item_count: int) -> Quantiles:
    """Of each item's values that of rank floor(quantile x (n - 1)): equal ones are counted before they move."""
    typical = np.flatnonzero(event_weights(recipe).typical).tolist()
    values = events.filter(sql.col("type").isin(typical) & ~sql.isnan("value") & (sql.col("value") > 0))
    if recipe.signals.count == "users":
        values = values.groupBy("user", "item").agg(sql.max("value").alias("value"))
    rising = Window.partitionBy("item").orderBy("value")
    until = sql.sum("count").over(rising.rowsBetween(Window.unboundedPreceding, Window.currentRow))
    seen = sql.sum("count").over(Window.partitionBy("item"))
    rank = sql.floor(recipe.signals.full_quantile * (sql.col("seen") - 1))
    counted = (
        values.groupBy("item", "value").count().select("item", "value", until.alias("until"), seen.alias("seen"))
    )
    chosen = (
        counted.filter(sql.col("until") > rank)
        .groupBy("item")
        .agg(sql.min("value").alias("value"), sql.max("seen").alias("seen"))
    )
    table = chosen.toArrow()
    found = Quantiles(np.zeros(item_count), np.zeros(item_count))
    items = table["item"].to_numpy()
    found.values[items], found.seen[items] = table["value"].to_numpy(), table["seen"].to_numpy()
    return found


def _finished(
    batches: Iterator[pa.RecordBatch], users: Numbers, full: Floats, weights: EventWeights
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        user, item, code, value, time, seq = (
            batch[name].to_numpy() for name in ("user", "item", "type", "value", "time", "seq")
        )
        row = np.searchsorted(users, user).astype(np.int32)
        strength = strengths(weights, code, value, full[item])
        yield pa.record_batch([row, item, code, value, strength, time, seq], schema=EVENTS)
