"""From ids to rows and positions: what fits is trained on, what does not is counted by reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as sql

from homefeed.catalog import CatalogView
from homefeed.catalog.columns import CategoryColumn
from homefeed.ingest.interactions import UNKNOWN_ITEM, UNKNOWN_USER
from homefeed.ingest.load_events import REPEATED_IN_FILE
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.bulk import item_pages, user_pages
from homefeed.train.spark.inputs import Input
from homefeed.types import DAY, Numbers

OF_CREATOR: Final = "of a creator on an item of their own"
NO_ITEM: Final = "about no item, as a search is"

_LARGEST: Final = 1e30
"""As where one process reads the log: computing with values stays within 32 bits."""
_COLUMNS: Final = ("user", "item", "type", "value", "time", "seq")


@dataclass(frozen=True, slots=True)
class Ids:
    """The users and items of the store by their ids: `users` (user_id, user), `items` (item_id, item, number,
    creator).

    `user` and `number` are permanent numbers, `item` is a position of the catalogue, `creator` who made it, where
    that is told.
    """

    users: pa.Table
    items: pa.Table


async def read_ids(store: Store, recipe: Recipe, catalog: CatalogView) -> Ids:
    """All ids of an app."""
    users = [_table("user_id", "user", *page) async for page in user_pages(store, recipe.app)]
    pages = [page async for page in item_pages(store, recipe.app)]
    items = [_table("item_id", "item", ids, catalog.positions(np.array(n, np.int32))) for ids, n in pages]
    of_users = pa.concat_tables([_table("user_id", "user", [], []), *users])
    of_items = pa.concat_tables([_table("item_id", "item", [], []), *items])
    of_items = of_items.filter(pa.compute.greater_equal(of_items["item"], 0))
    positions = of_items["item"].to_numpy()
    of_items = of_items.append_column("number", pa.array(catalog.numbers[positions], pa.int32()))
    creator = pa.array(_creators(recipe, catalog, positions), pa.string())
    return Ids(of_users, of_items.append_column("creator", creator))


def _table(id_name: str, name: str, ids: Iterable[str], numbers: Iterable[int]) -> pa.Table:
    return pa.table({id_name: pa.array(ids, pa.string()), name: pa.array(numbers, pa.int32())})


def _creators(recipe: Recipe, catalog: CatalogView, positions: Numbers) -> list[str | None]:
    if recipe.items.creator is None:
        return [None] * len(positions)
    column = catalog.column(recipe.items.creator, CategoryColumn)
    return [column.spelled(position) or None for position in positions.tolist()]


@dataclass(frozen=True, slots=True)
class Events:
    """Events that fit: `frame` has user (a permanent number), item (a position), type, value, time and seq.

    `rows` were read, `count` of them fit; `left_out` tells of how many others why they do not.
    """

    frame: DataFrame
    rows: int
    count: int
    left_out: Mapping[str, int]


@contextmanager
def events_of(spark: SparkSession, source: Input, ids: Ids, recipe: Recipe, now: int) -> Iterator[Events]:
    """Read the events once; they are kept in Spark's memory, or on its disks, until the context ends."""
    users, items = spark.createDataFrame(ids.users), spark.createDataFrame(ids.items)
    known = _once(source, recipe).join(users, "user_id", "left").join(items, "item_id", "left")
    reason = sql.coalesce(*(sql.when(fault, why) for why, fault in _faults(source, recipe, now).items()))
    columns = ("user", "item", type_of(recipe).alias("type"), _value().alias("value"), "time", "seq", "copies")
    read = known.select(reason.alias("reason"), *columns).persist()
    try:
        counts = (
            read.groupBy("reason").agg(sql.sum("copies").alias("rows"), sql.count("*").alias("once")).collect()
        )
        told = {row["reason"]: int(row["rows"]) for row in counts}
        good = next((int(row["once"]) for row in counts if row["reason"] is None), 0)
        repeated = told.pop(None, 0) - good
        left_out = dict(sorted(told.items(), key=lambda each: (-each[1], each[0])))
        left_out |= {REPEATED_IN_FILE: repeated} if repeated else {}
        rows = good + sum(left_out.values())
        yield Events(read.filter(sql.col("reason").isNull()).select(*_COLUMNS), rows, good, left_out)
    finally:
        read.unpersist()


def _once(source: Input, recipe: Recipe) -> DataFrame:
    """Each event once, with the number of its `copies`: outside of logs those that are equal in all they tell."""
    if source.of_log:
        return source.events.withColumn("copies", sql.lit(1))
    # Events of one time need an order that does not depend on how Spark parts them.
    events = source.events.withColumn("seq", sql.xxhash64(*source.events.columns))
    if recipe.sources.events.equal_rows == "each":
        return events.withColumn("copies", sql.lit(1))
    return events.groupBy(*events.columns).agg(sql.count("*").alias("copies"))


def _faults(source: Input, recipe: Recipe, now: int) -> dict[str, Column]:
    """Why a row is left out, in the order in which it is looked for; rows of a log were checked when they came."""
    missing = {
        name: sql.coalesce(sql.col(name), sql.lit("")) == "" for name in ("user_id", "event_type", "item_id")
    }
    searches = [name for name, spec in recipe.events.items() if spec.about == "query"]
    faults = {
        "missing user_id": missing["user_id"],
        "missing event_type": missing["event_type"],
        NO_ITEM: sql.col("event_type").isin(searches),
        "unknown event type": type_of(recipe).isNull(),
        "missing item_id": missing["item_id"],
        "missing timestamp, or one that is no time": sql.col("time").isNull(),
        UNKNOWN_USER: sql.col("user").isNull(),
        UNKNOWN_ITEM: sql.col("item").isNull(),
        OF_CREATOR: sql.col("creator").eqNullSafe(sql.col("user_id")) & sql.col("creator").isNotNull(),
    }
    if source.of_log:
        return faults
    faults["timestamp in the future"] = sql.col("time") > now + DAY
    faults["value is not a number"] = sql.coalesce(sql.isnan("value"), sql.lit(False))
    for name, spec in recipe.events.items():
        mine = sql.col("event_type") == name
        faults[f"value below {spec.min_value:g} of {name}"] = mine & (sql.col("value") < spec.min_value)
        if spec.max_value is not None:
            faults[f"value above {spec.max_value:g} of {name}"] = mine & (sql.col("value") > spec.max_value)
    return faults


def type_of(recipe: Recipe) -> Column:
    """The code of an event's type; null of one that nobody declared."""
    codes = [
        sql.lit(each)
        for pair in zip(recipe.event_types, range(len(recipe.event_types)), strict=True)
        for each in pair
    ]
    return sql.try_element_at(sql.create_map(*codes), sql.col("event_type"))


def _value() -> Column:
    """NaN where an event has none."""
    within = sql.least(sql.greatest(sql.col("value"), sql.lit(-_LARGEST)), sql.lit(_LARGEST))
    nothing = sql.col("value").isNull() | sql.isnan("value")
    return sql.when(nothing, sql.lit(float("nan"))).otherwise(within).cast("float")
