"""A log in a store, read by one process and by Spark from its export."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from homefeed.dataset.export_folder import Export, export_app
from homefeed.dataset.log import LogData, read_catalog, read_log
from homefeed.engine import Prepared, prepare
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.train.spark.data import without_events
from homefeed.train.spark.inputs import open_input
from homefeed.train.spark.reading import Events, events_of, read_ids
from homefeed.train.spark.strengths import SparkPrepared, prepared_on_spark

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True, slots=True)
class Both:
    """What both make of the same log."""

    log: LogData
    local: Prepared
    read: Events
    spark: SparkPrepared


@asynccontextmanager
async def read_by_both(
    spark: SparkSession, store: Store, recipe: Recipe, folder: Path, now: int
) -> AsyncIterator[Both]:
    """Prepared as the recipe says; what Spark keeps is there until the context ends."""
    export = Export(("events",), "parquet", by_day=True)
    await export_app(store, recipe, folder, export, now=now, progress=lambda *_: None)
    log = await read_log(store, recipe, now=now, seed=3)
    ids = await read_ids(store, recipe, await read_catalog(store, recipe))
    source = open_input(spark, str(folder), recipe, 0)
    about = log.data
    with (
        events_of(spark, source, ids, recipe, now) as read,
        prepared_on_spark(recipe, read.frame, without_events(about)) as prepared,
    ):
        yield Both(log, prepare(recipe, about), read, prepared)
