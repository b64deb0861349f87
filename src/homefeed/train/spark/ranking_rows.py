"""What a feed showed as rankers learn from it, on Spark: the table of `dataset.ranking_rows`, row for row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as sf

from homefeed.dataset.attribution import PAGE
from homefeed.dataset.ranking_rows import (
    NOT_KNOWN,
    NOT_LOOKED_AT,
    OTHER_FEED,
    SHOWN_AGAIN,
    TOO_MANY,
    FeedColumns,
    PagesRead,
)
from homefeed.recipe import BLEND, Recipe
from homefeed.store.impressions import IMPORTED
from homefeed.store.shown import MOST_PAGES
from homefeed.train.spark.attribution import followed
from homefeed.types import DAY

_REQUEST: Final = ("request_id", "feed", "owner")
_OF_PAGE: Final = (*PAGE, "owner", "reused", "served_by", "models", "feature_names")
_BY_ITEM: Final = ("item", "place", "propensity", "score", "features")


@dataclass(frozen=True, slots=True)
class SparkRows:
    """The rows of a feed's lists, of which each has an item once.

    `list` tells the list: its first page (time, request_id, feed, start). `owner`, `served_by` and `pages` are of
    the list; `item`, its first `place`, its `propensity`, `score` as served and `features` are of the row, and
    `outcomes`, the codes of the events that followed, rising. They are cached: `rows.unpersist()` ends that.
    """

    rows: DataFrame
    read: PagesRead


def ranking_rows(
    shown: DataFrame, events: DataFrame, recipe: Recipe, feed: str, columns: FeedColumns
) -> SparkRows:
    """The latest of what a feed showed, as far as it was looked at: equal to `read_ranking_rows`, row for row.

    `shown` has the columns of `attribution.SHOWN`, `events` those of `attribution.EVENTS`, of which types are
    places among the recipe's.
    """
    since, until = _extent(shown.where(_is_of(feed)), recipe.impressions.max_learned_items)
    about_items = [code for code, name in enumerate(recipe.event_types) if recipe.events[name].about == "item"]
    events = events.where(sf.col("type").isin(about_items))
    after = followed(shown, events, recipe.impressions.window_length, since, until).cache()
    theirs = shown.where(sf.col("time").between(since, until - 1) & _is_of(feed))
    rows = _with_examined(theirs, shown, after, recipe)
    pages = _pages(rows, feed, columns).cache()
    lists = _lists(pages.where("why is null"))
    table = _table(rows.where("examined"), lists.where(sf.col("pages") <= MOST_PAGES), after).cache()
    read = _told(pages, lists)
    table.count()  # now, for what it is made of is let go
    for frame in (pages, after):
        frame.unpersist()
    return SparkRows(table, read)


def _is_of(feed: str) -> Column:
    return (sf.col("feed") == feed) | (sf.substring_index("served_by", "/", 1) == feed)


def _extent(shown: DataFrame, most: int) -> tuple[int, int]:
    """From when to before when the latest pages are that show so many items: those of a moment all, or none.

    By day, and then by the moments of the day that is there in part.
    """
    day = sf.floor(sf.col("time") / DAY)
    spans = (sf.count("*"), sf.min("time"), sf.max("time"))
    days = sorted((tuple(row) for row in shown.groupBy(day).agg(*spans).collect()), reverse=True)
    if not days:
        return 0, 0
    until, whole = days[0][3] + 1, int(np.searchsorted(np.cumsum([row[1] for row in days]), most, "right"))
    if whole == len(days):
        return days[-1][2], until
    left = most - sum(row[1] for row in days[:whole])
    moments = shown.where(day == days[whole][0]).groupBy("time").count().orderBy(sf.desc("time")).toArrow()
    taken = int(np.searchsorted(np.cumsum(moments["count"].to_numpy()), left, "right"))
    if taken:
        return moments["time"][taken - 1].as_py(), until
    return (days[whole - 1][2] if whole else until), until


def _with_examined(theirs: DataFrame, shown: DataFrame, after: DataFrame, recipe: Recipe) -> DataFrame:
    """With whether the user is taken to have looked at the place, as `dataset.impressions` has it."""
    if recipe.impressions.examined == "all":
        return theirs.withColumn("examined", sf.lit(True))
    last = after.groupBy(*_REQUEST).agg(sf.max("place").alias("last"))
    first = shown.groupBy(*_REQUEST).agg(sf.min("start").alias("first"))
    rows = theirs.join(last, [*_REQUEST], "left").join(first, [*_REQUEST])
    down_to = sf.col("place") <= sf.col("last") + recipe.impressions.margin
    return rows.withColumn("examined", sf.coalesce(down_to, sf.col("start") <= sf.col("first")))


def _pages(rows: DataFrame, feed: str, columns: FeedColumns) -> DataFrame:
    """The pages of the rows, why each cannot be learned from, null where it can, and where its features are."""
    pages = rows.groupBy(*_OF_PAGE).agg(sf.max("examined").alias("looked_at"))
    pages = pages.withColumn("blend", sf.coalesce(sf.get_json_object("models", f"$.{BLEND}"), sf.lit("")))
    kinds = [tuple(row) for row in pages.select("feature_names", "blend").distinct().collect()]
    told = [(names, blend, *_fit(columns, names, blend)) for names, blend in kinds]
    schema = "feature_names string, blend string, misfit string, columns array<int>"
    pages = pages.join(sf.broadcast(rows.sparkSession.createDataFrame(told, schema)), ["feature_names", "blend"])
    served_by = sf.col("served_by")
    elsewhere = (served_by != IMPORTED) & (sf.substring_index(served_by, "/", 1) != feed)
    why = (
        sf.when(sf.col("reused"), SHOWN_AGAIN)
        .when(served_by == "", NOT_KNOWN)
        .when(elsewhere, OTHER_FEED)
        .when(sf.col("misfit").isNotNull(), sf.col("misfit"))
        .when(~sf.col("looked_at"), NOT_LOOKED_AT)
    )
    return pages.withColumn("why", why)


def _fit(columns: FeedColumns, names: str, blend: str) -> tuple[str | None, list[int]]:
    """Why features of these names cannot be learned from, and else where those of the columns are among them."""
    there = tuple(names.split(",")) if names else ()
    misfit = columns.misfit(there, {BLEND: blend} if blend else {})
    return misfit, [] if misfit else [there.index(name) for name in columns.names]


def _lists(pages: DataFrame) -> DataFrame:
    """The pages with the list that each is of: it goes on with that of its request, unless it begins anew."""
    turns = Window.partitionBy(*_REQUEST).orderBy("time", "start")
    anew = sf.coalesce((sf.col("start") <= sf.lag("start").over(turns)).cast("int"), sf.lit(1))
    pages = pages.withColumn("anew", anew).withColumn("turn", sf.sum("anew").over(turns))
    whole = Window.partitionBy(*_REQUEST, "turn")
    first = sf.min(sf.struct(sf.struct(*PAGE).alias("list"), "served_by")).over(whole)
    return pages.withColumn("first", first).select(
        *PAGE,
        "columns",
        "first.list",
        "owner",
        sf.col("first.served_by"),
        sf.count("*").over(whole).alias("pages"),
    )


def _table(rows: DataFrame, lists: DataFrame, after: DataFrame) -> DataFrame:
    """The rows of the lists, each item of a list once: as shown first, with what followed any showing."""
    outcomes = after.groupBy(*PAGE, "place").agg(sf.collect_set("type").alias("outcomes"))
    rows = rows.select(*PAGE, *_BY_ITEM).join(lists, [*PAGE]).join(outcomes, [*PAGE, "place"], "left")
    chosen = sf.transform("columns", lambda column: _number(sf.get("features", column)))
    rows = rows.withColumn("features", chosen)
    shown = sf.struct("time", "start", "place", "propensity", "score", "features")
    found = rows.groupBy("list", "item", "owner", "served_by", "pages").agg(
        sf.min(shown).alias("shown"),
        sf.array_sort(sf.array_distinct(sf.flatten(sf.collect_list("outcomes")))).alias("outcomes"),
    )
    of_row = [f"shown.{name}" for name in ("place", "propensity", "score", "features")]
    return found.select("list", "item", "owner", "served_by", "pages", *of_row, "outcomes")


def _number(value: Column) -> Column:
    """The value, 0 for what is no number."""
    finite = ~sf.isnan(value) & (sf.abs(value) != float("inf"))
    return sf.when(finite, value).otherwise(sf.lit(0.0).cast("float"))


def _told(pages: DataFrame, lists: DataFrame) -> PagesRead:
    counts = {row["why"]: row["count"] for row in pages.groupBy("why").count().collect()}
    taken, too_many = counts.pop(None, 0), lists.where(sf.col("pages") > MOST_PAGES).count()
    left_out = counts | ({TOO_MANY: too_many} if too_many else {})
    return PagesRead(taken + sum(counts.values()), taken - too_many, left_out)
