"""What was shown, from an export: what fits is learned from, what does not is counted by reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as sql

from homefeed.ingest.interactions import UNKNOWN_ITEM, UNKNOWN_USER
from homefeed.recipe import Recipe
from homefeed.store.shown import NOBODY
from homefeed.train.spark.attribution import EVENTS, SHOWN
from homefeed.train.spark.inputs import Input
from homefeed.train.spark.reading import Ids, type_of

_BROADCASTS: Final = "spark.sql.autoBroadcastJoinThreshold"
_NEEDED: Final = ("request_id", "feed", "item_id")
_ELSE: Final = {
    "served_by": "",
    "models": "{}",
    "feature_names": "",
    "reused": False,
    "score": 0.0,
    "propensity": 1.0,
}


@dataclass(frozen=True, slots=True)
class Shown:
    """`pages` has the columns of `attribution.SHOWN`, `events` those of `attribution.EVENTS`, users and items by
    their permanent numbers; `left_out` tells of how many rows of what was shown why they do not fit.
    """

    pages: DataFrame
    events: DataFrame
    left_out: Mapping[str, int]


@contextmanager
def shown_of(source: Input, shown: DataFrame, ids: Ids, recipe: Recipe) -> Iterator[Shown]:
    """Read the impressions `shown` of an input once; Spark keeps them until the context ends.

    Events that do not fit are left out, as `events_of` counts them, but for those of creators on their own items:
    they tell what was looked at, too.
    """
    with _without_broadcasts(shown.sparkSession) as spark:
        yield from _read(spark, source, shown, ids, recipe)


@contextmanager
def _without_broadcasts(spark: SparkSession) -> Iterator[SparkSession]:
    """Small tables are joined by sorting, too.

    Each one sent around takes a page of 16 MB or more of the driver, and here are dozens: more than its 1 GB.
    """
    before = spark.conf.get(_BROADCASTS)
    spark.conf.set(_BROADCASTS, "-1")
    try:
        yield spark
    finally:
        spark.conf.set(_BROADCASTS, str(before))


def _read(spark: SparkSession, source: Input, shown: DataFrame, ids: Ids, recipe: Recipe) -> Iterator[Shown]:
    users, items = spark.createDataFrame(ids.users), spark.createDataFrame(ids.items).drop("item", "creator")
    known = shown.join(users, "user_id", "left").join(items, "item_id", "left")
    reason = sql.coalesce(*(sql.when(fault, why) for why, fault in _faults().items()))
    read = known.select(reason.alias("reason"), *_columns()).persist()
    events = _events(source, users, items, recipe).persist()
    try:
        events.count()  # now, so that plans know how few they are
        counts = read.where("reason is not null").groupBy("reason").count().collect()
        told = sorted((-row["count"], row["reason"]) for row in counts)
        pages = read.where("reason is null").select(*SHOWN.names)
        yield Shown(pages, events, {why: -count for count, why in told})
    finally:
        events.unpersist()
        read.unpersist()


def _faults() -> dict[str, Column]:
    """Why a row is left out, in the order in which it is looked for."""
    missing = {f"missing {name}": sql.coalesce(sql.col(name), sql.lit("")) == "" for name in _NEEDED}
    names = sql.when(sql.col("feature_names") != "", sql.size(sql.split("feature_names", ",")))
    return missing | {
        "missing timestamp": sql.col("time").isNull(),
        "missing place": sql.col("place").isNull() | sql.col("start").isNull(),
        UNKNOWN_USER: sql.col("user_id").isNotNull() & sql.col("user").isNull(),
        UNKNOWN_ITEM: sql.col("number").isNull(),
        "not as many features as names of such": sql.coalesce(names, sql.lit(0)) != _size(),
    }


def _size() -> Column:
    return sql.coalesce(sql.size("features"), sql.lit(0))


def _columns() -> list[Column]:
    """The columns of `SHOWN` of rows that fit."""
    found = {name: sql.coalesce(sql.col(name), sql.lit(default)) for name, default in _ELSE.items()}
    found |= {
        "owner": sql.coalesce("user", sql.lit(NOBODY)),
        "item": sql.col("number"),
        "place": sql.col("place").cast("int"),
        "features": sql.coalesce("features", sql.array().cast("array<float>")),
    }
    found |= {name: found[name].cast("float") for name in ("score", "propensity")}
    return [found.get(name, sql.col(name)).alias(name) for name in SHOWN.names]


def _events(source: Input, users: DataFrame, items: DataFrame, recipe: Recipe) -> DataFrame:
    """The events about items that are known, beside the requests that they name."""
    named = "request_id" if "request_id" in source.events.columns else "null"
    found = source.events.join(users, "user_id").join(items, "item_id").where("time is not null")
    found = found.withColumns({"type": type_of(recipe), "named": sql.expr(named).cast("string")})
    names = {"seq": "event", "time": "at", "number": "item"}
    return found.where("type is not null").withColumnsRenamed(names).select(*EVENTS.names)
