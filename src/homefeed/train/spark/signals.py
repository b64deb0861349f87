"""Signals counted on Spark: the same as of one process, see `fit_signals`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as sql
from pyspark.sql.pandas.types import from_arrow_schema

from homefeed.catalog import SignalsModel
from homefeed.catalog.pairs import Pairs, keys_of, pairs_of
from homefeed.catalog.signals import Doubles
from homefeed.catalog.windows import LENGTHS, WINDOWS, counted, faded
from homefeed.engine.signals import counts_of_pairs
from homefeed.recipe import Recipe
from homefeed.train.spark.data import SparkData
from homefeed.train.spark.strengths import SparkPrepared
from homefeed.types import NO_TIME, Numbers, Times, TrainingData

_PAIRS: Final = pa.schema(
    [
        pa.field("key", pa.int64(), nullable=False),
        pa.field("strength", pa.float32(), nullable=False),
        pa.field("level", pa.float64(), nullable=False),
        pa.field("first", pa.int64(), nullable=False),
    ]
)
_RECENT: Final = pa.schema(
    [
        pa.field("item", pa.int32(), nullable=False),
        *(pa.field(name, pa.float64(), nullable=False) for name in WINDOWS),
    ]
)


def fit_signals_on_spark(recipe: Recipe, prepared: SparkPrepared, watermark: int) -> SignalsModel:
    """Count the events; `watermark` is how far in the log they reach.

    Where a user counts once for an item, all but `engagement` is equal to the last bit to what one process counts:
    each pair comes to the driver, for the model holds it. Where all events count, their numbers are; sums of
    strengths, and of what is left of events, are but for rounding: they are added in another order.
    """
    about, groups, half_life = prepared.data.about, prepared.group_full, recipe.signals.trending_half_life
    # An event told with a time to come counts as of now: else it would outweigh all others until that time.
    events = prepared.data.events.withColumn("time", sql.least(sql.col("time"), sql.lit(about.now)))
    last = events.agg(sql.max("time")).collect()[0][0]
    landmark = about.now if last is None else int(last)
    sums = _sums(events, landmark, half_life, about.item_count)
    counting, pairs = events.filter("strength >= 0"), Pairs()
    if recipe.signals.count == "events":
        counts = sums["events"], sums["strength"], sums["trend"]
        latest = _latest(counting, about.item_count)
        recent = _recent(counting, latest)
    else:
        pairs, firsts = _pairs(counting, about, half_life)
        counts = counts_of_pairs(pairs, about, landmark, half_life)
        recent, latest = _recent_of_pairs(pairs, firsts, about)
    return SignalsModel(
        about.numbers,
        *counts,
        full=prepared.full,
        recent=recent,
        latest=latest,
        engagement=sums["engagement"],
        group_full={name: value for name, value in groups.items() if name},
        default_full=groups[""],
        landmark=landmark,
        watermark=watermark,
        distinct={name: _told(recipe, prepared.data, name) for name in recipe.signals.distinct},
        pairs=pairs,
    )


def _sums(events: DataFrame, landmark: int, half_life: float, item_count: int) -> dict[str, Doubles]:
    """(items,) sums over the events of each item, by name."""
    strength = sql.col("strength").cast("double")
    counts = sql.col("strength") >= 0
    left = sql.pow(sql.lit(2.0), (sql.col("time") - landmark) / sql.lit(half_life)) * strength
    table = (
        events.groupBy("item")
        .agg(
            sql.count_if(counts).alias("events"),
            sql.sum(sql.when(counts, strength)).alias("strength"),
            sql.sum(sql.when(counts, left)).alias("trend"),
            sql.sum(strength).alias("engagement"),
        )
        .toArrow()
    )
    found = {name: np.zeros(item_count) for name in table.column_names if name != "item"}
    for name, column in found.items():
        column[table["item"].to_numpy()] = table[name].fill_null(0).to_numpy()
    return found


def _latest(events: DataFrame, item_count: int) -> Times:
    """(items,) the time of each item's last event."""
    table = events.groupBy("item").agg(sql.max("time").alias("time")).toArrow()
    latest = np.full(item_count, NO_TIME, np.int64)
    latest[table["item"].to_numpy()] = table["time"].to_numpy()
    return latest


def _recent(events: DataFrame, latest: Times) -> Doubles:
    """(items, windows) what is left of the events of the last hour, day and week: see `counted`."""
    names = _RECENT.names[1:]
    sums = [sql.sum(name).alias(name) for name in names]
    parts = events.mapInArrow(partial(_faded, latest=latest), from_arrow_schema(_RECENT))
    table = parts.groupBy("item").agg(*sums).toArrow()
    found = np.zeros((len(latest), len(names)))
    for column, name in enumerate(names):
        found[table["item"].to_numpy(), column] = table[name].to_numpy()
    return found


def _faded(batches: Iterator[pa.RecordBatch], latest: Times) -> Iterator[pa.RecordBatch]:
    """Sums of a batch before any event moves."""
    for batch in batches:
        items, rows = np.unique(batch["item"].to_numpy(), return_inverse=True)
        left = faded(LENGTHS, latest[items][rows] - batch["time"].to_numpy())
        columns = [np.bincount(rows, column, len(items)) for column in left.T]
        yield pa.record_batch([items, *columns], schema=_RECENT)


def _pairs(events: DataFrame, about: TrainingData, half_life: float) -> tuple[Pairs, Times]:
    """Every pair of a user and an item, and (pairs,) the time of its first event."""
    paired = partial(_paired, users=about.user_numbers, items=about.numbers, half_life=half_life)
    parts = events.mapInArrow(paired, from_arrow_schema(_PAIRS))
    strongest = [sql.max(name).alias(name) for name in ("strength", "level")]
    table = parts.groupBy("key").agg(*strongest, sql.min("first").alias("first")).toArrow()
    keys = table["key"].to_numpy()
    order = np.argsort(keys)
    columns = (table[name].to_numpy()[order] for name in ("strength", "level"))
    return Pairs(keys[order], *columns), table["first"].to_numpy()[order]


def _paired(
    batches: Iterator[pa.RecordBatch], users: Numbers, items: Numbers, half_life: float
) -> Iterator[pa.RecordBatch]:
    """Pairs of a batch, by the code of one process, before any event moves."""
    for batch in batches:
        user, item, strength, time = (batch[name].to_numpy() for name in ("user", "item", "strength", "time"))
        pairs = pairs_of(users[user], items[item], strength, time, half_life)
        firsts = np.full(len(pairs), np.iinfo(np.int64).max)
        np.minimum.at(firsts, np.searchsorted(pairs.keys, keys_of(users[user], items[item])), time)
        yield pa.record_batch([pairs.keys, pairs.strengths, pairs.levels, firsts], schema=_PAIRS)


def _recent_of_pairs(pairs: Pairs, firsts: Times, about: TrainingData) -> tuple[Doubles, Times]:
    """What is left of the first event of each pair, in the order of time."""
    order = np.argsort(firsts, kind="stable")
    places = np.argsort(about.numbers)
    rows = places[np.searchsorted(about.numbers[places], pairs.items[order])].astype(np.int32)
    return counted(rows, firsts[order], about.item_count)


def _told(recipe: Recipe, data: SparkData, event_type: str) -> Numbers:
    """(n, 2) the user and the item of every event of a type, by their numbers, each pair once."""
    told = data.events.filter(sql.col("type") == recipe.event_types.index(event_type))
    table = told.select("user", "item").distinct().toArrow()
    users = data.about.user_numbers[table["user"].to_numpy()]
    items = data.about.numbers[table["item"].to_numpy()]
    return np.unique(np.stack([users, items], axis=1).astype(np.int32), axis=0)
