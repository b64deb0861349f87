"""What trainers on Spark take: the events in Spark, and all that serving holds in memory, too, on the driver."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeVar

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from homefeed.types import NO_POSITIONS, Interactions, TrainingData

M_co = TypeVar("M_co", covariant=True)

EVENTS: Final = pa.schema(
    [
        pa.field("user", pa.int32(), nullable=False),
        pa.field("item", pa.int32(), nullable=False),
        pa.field("type", pa.int32(), nullable=False),
        pa.field("value", pa.float32(), nullable=False),
        pa.field("strength", pa.float32(), nullable=False),
        pa.field("time", pa.int64(), nullable=False),
        pa.field("seq", pa.int64(), nullable=False),
    ]
)
"""The columns of `Interactions`, and the place of each event in the log: of events of one time, the later."""

_NO_FLOATS: Final = np.empty(0, np.float32)
NO_EVENTS: Final = Interactions(
    NO_POSITIONS, NO_POSITIONS, NO_POSITIONS, _NO_FLOATS, _NO_FLOATS, np.empty(0, np.int64)
)


@dataclass(frozen=True, slots=True)
class SparkData:
    """`events` has the columns of `EVENTS`, in no order; `about` is the `TrainingData` without its events.

    Users are rows from 0 to `about.user_count` - 1, items are positions of the catalogue.
    """

    events: DataFrame
    about: TrainingData

    @classmethod
    def of(cls, spark: SparkSession, data: TrainingData) -> SparkData:
        """The same data, moved to Spark: of a log that one process holds anyway."""
        events = data.interactions
        columns = [events.users, events.items, events.types, events.values, events.strengths, events.times]
        table = pa.table([*map(pa.array, columns), pa.array(range(len(events)), pa.int64())], schema=EVENTS)
        return cls(spark.createDataFrame(table), without_events(data))


def without_events(data: TrainingData) -> TrainingData:
    """All but the events."""
    return replace(data, interactions=NO_EVENTS)


class SparkTrainer(Protocol[M_co]):
    """Fits a model on Spark, of the same kind as its local twin: what is served knows nothing of Spark.

    It is made of the same `Config`. The same data and seed give the same model, however Spark parts the data.
    """

    def fit(self, data: SparkData) -> M_co:
        """The model of all events."""
        ...
