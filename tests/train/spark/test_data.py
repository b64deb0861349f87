"""The same events, moved to Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from homefeed.train.spark.data import SparkData
from homefeed.types import Interactions, TrainingData

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_every_column_comes_through(spark: SparkSession) -> None:
    events = Interactions(
        np.array([1, 0], np.int32),
        np.array([2, 3], np.int32),
        np.array([0, 1], np.int32),
        np.array([np.nan, 2.5], np.float32),
        np.array([1.0, -0.5], np.float32),
        np.array([10, 20], np.int64),
    )
    data = SparkData.of(spark, TrainingData(events, 2, np.arange(4, dtype=np.int32), {}, now=30))
    rows = [tuple(row) for row in data.events.orderBy("seq").collect()]
    assert str(rows) == "[(1, 2, 0, nan, 1.0, 10, 0), (0, 3, 1, 2.5, -0.5, 20, 1)]"
    assert (len(data.about.interactions), data.about.user_count, data.about.now) == (0, 2, 30)
