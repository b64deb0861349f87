"""Which showing of an item an event is put down to, on Spark: as `dataset.attribution` does, event by event.

Joins are as of the event: a showing counts for what came after it, within the window, and for nothing else. They
are by request, or by user and item, of which nobody has many rows; of each event the best showing is kept.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as sf

from homefeed.dataset.attribution import LONGEST_REUSE, PAGE
from homefeed.store.shown import MOST_PAGES, NOBODY

SHOWN: Final = pa.schema(
    [
        pa.field("time", pa.int64(), nullable=False),
        pa.field("request_id", pa.string(), nullable=False),
        pa.field("feed", pa.string(), nullable=False),
        pa.field("start", pa.int32(), nullable=False),
        pa.field("owner", pa.int32(), nullable=False),
        pa.field("reused", pa.bool_(), nullable=False),
        pa.field("served_by", pa.string(), nullable=False),
        pa.field("models", pa.string(), nullable=False),
        pa.field("feature_names", pa.string(), nullable=False),
        pa.field("item", pa.int32(), nullable=False),
        pa.field("place", pa.int32(), nullable=False),
        pa.field("score", pa.float32(), nullable=False),
        pa.field("propensity", pa.float32(), nullable=False),
        pa.field("features", pa.list_(pa.float32()), nullable=False),
    ]
)
"""Columns of what was shown, a row an item, as `dataset.impression_frames` writes it, users and items as numbers:
`owner` is `NOBODY` where a page is nobody's. Any numbers will do, if events have the same."""

EVENTS: Final = pa.schema(
    [
        pa.field("event", pa.int64(), nullable=False),
        pa.field("at", pa.int64(), nullable=False),
        pa.field("user", pa.int32(), nullable=False),
        pa.field("item", pa.int32(), nullable=False),
        pa.field("type", pa.int32(), nullable=False),
        pa.field("named", pa.string()),
    ]
)
"""Columns of events about items: place in the log, time, user, item, code of the type, and the request that the
event names, if any."""

_SHOWING: Final = (*PAGE, "owner", "reused", "place")
_FIRST: Final = ("place", "feed", "request_id")
_TOLD: Final = ("event", "at", "user", "item", "type")


def followed(shown: DataFrame, events: DataFrame, window: int, since: int, until: int) -> DataFrame:
    """The events beside the page (time, request_id, feed, start), owner and place that each is put down to.

    Of showings from `since` to before `until`; those that are put down to none are left out.
    """
    showings, within = shown.select(*_SHOWING, "item"), sf.col("at") < until + window
    # A client's clock may be behind by a window; what names a page may follow it however late.
    told = events.where((sf.col("at") >= since - window) & (within | sf.col("named").isNotNull()))
    pages = shown.select(*PAGE).distinct().groupBy("request_id").count()
    known = pages.where(sf.col("count") <= MOST_PAGES).select(sf.col("request_id").alias("named"))
    by_name = to_first_showing(by_request(told.join(known, "named", "left_semi"), showings, window), showings)
    rest = told.where((sf.col("at") >= since) & within).join(known, "named", "left_anti")
    around = showings.where(sf.col("time").between(since - max(window, LONGEST_REUSE), until + window - 1))
    timed = to_first_showing(by_time(rest, around, window), around, window)
    found = by_name.unionByName(timed)
    return found.where(sf.col("time").between(since, until - 1))


def by_request(events: DataFrame, showings: DataFrame, window: int) -> DataFrame:
    """Events put down to the request that they name, as `dataset.attribution.by_request`."""
    before = sf.col("at") - sf.col("time")
    nobody = sf.col("owner") == NOBODY
    pairs = events.join(showings.withColumnRenamed("request_id", "named"), ["named", "item"])
    pairs = pairs.where((nobody | (sf.col("owner") == sf.col("user"))) & (before >= -window))
    pairs = pairs.withColumnRenamed("named", "request_id")
    return _best(pairs, nobody, before < 0, sf.abs(before))


def by_time(events: DataFrame, showings: DataFrame, window: int) -> DataFrame:
    """Events put down to the latest showing at or before them, as `dataset.attribution.by_time`."""
    theirs = showings.where(sf.col("owner") != NOBODY).withColumn("user", sf.col("owner"))
    pairs = events.drop("named").join(theirs, ["user", "item"])
    return _best(pairs.where((sf.col("at") - sf.col("time")).between(0, window)), -sf.col("time"))


def to_first_showing(found: DataFrame, showings: DataFrame, window: int | None = None) -> DataFrame:
    """What is put down to a slate that was given again, at the page for which it was chosen, as
    `dataset.attribution.to_first_showing`; it stays where it is if that page is not there.
    """
    again = found.where("reused").select(*_TOLD, "feed", sf.col("time").alias("again_at"))
    chosen = showings.where(~sf.col("reused")).withColumn("user", sf.col("owner"))
    pairs = again.join(chosen, ["user", "item", "feed"])
    pairs = pairs.where((sf.col("again_at") - sf.col("time")).between(0, LONGEST_REUSE))
    earlier = _best(pairs, -sf.col("time"))
    if window is not None:
        earlier = earlier.where(sf.col("at") - sf.col("time") <= window)
    return found.join(earlier.select("event"), "event", "left_anti").unionByName(earlier)


def _best(pairs: DataFrame, *order: Column) -> DataFrame:
    """Of each event the showing that comes first in an order; of equals the first place, the first feed."""
    keys = [column.alias(f"key_{number}") for number, column in enumerate(order)]
    showing = sf.struct(*keys, *_FIRST, *(name for name in _SHOWING if name not in _FIRST))
    best = pairs.groupBy(*_TOLD).agg(sf.min(showing).alias("showing"))
    return best.select(*_TOLD, *(sf.col(f"showing.{name}").alias(name) for name in _SHOWING))
