"""Models on Spark of an app whose users are kept apart: each partition by its own items and events, no others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa
from pyspark.sql.pandas.types import from_arrow_schema

from homefeed.engine.apart import fit_apart, items_of_partitions, of_partition
from homefeed.protocols import Model
from homefeed.train.spark.data import EVENTS, SparkData, SparkTrainer
from homefeed.types import Codes, Positions


def fit_on_spark(name: str, trainer: SparkTrainer[Model], data: SparkData) -> Model:
    """Fit one of the recipe's models: where the recipe keeps users apart, to each partition by itself.

    Raises:
        RecipeError: users are kept apart, and models of this kind cannot be joined.
    """
    if not data.about.partitions:
        return trainer.fit(data)
    fitted = ((partition, trainer.fit(part)) for partition, part in partitions_of(data))
    return fit_apart(name, data.about.numbers, fitted)


def partitions_of(data: SparkData) -> Iterator[tuple[str, SparkData]]:
    """Each partition's items, events on them and users of those, as `homefeed.engine.apart.partitions_of`."""
    for name, items in items_of_partitions(data.about.partitions):
        places = np.full(data.about.item_count, -1, np.int32)
        places[items] = np.arange(len(items))
        mine = data.events.mapInArrow(partial(_of_items, places=places), from_arrow_schema(EVENTS)).persist()
        try:
            users = np.sort(mine.select("user").distinct().toArrow()["user"].to_numpy())
            rows = np.zeros(data.about.user_count, np.int32)
            rows[users] = np.arange(len(users))
            events = mine.mapInArrow(partial(_of_users, rows=rows), from_arrow_schema(EVENTS))
            yield name, SparkData(events, of_partition(data.about, items, users))
        finally:
            mine.unpersist()


def _of_items(batches: Iterator[pa.RecordBatch], places: Positions) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        place = places[batch["item"].to_numpy()]
        mine = batch.set_column(1, "item", pa.array(place)).filter(pa.array(place >= 0))
        yield pa.RecordBatch.from_arrays(mine.columns, schema=EVENTS)


def _of_users(batches: Iterator[pa.RecordBatch], rows: Codes) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        mine = batch.set_column(0, "user", pa.array(rows[batch["user"].to_numpy()]))
        yield pa.RecordBatch.from_arrays(mine.columns, schema=EVENTS)
