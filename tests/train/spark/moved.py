"""A trainer on Spark as one that takes what its local twin takes, for the suite that both are to pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from homefeed.train.spark.data import SparkData, SparkTrainer

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from homefeed.protocols import Model
    from homefeed.types import TrainingData


class Moved:
    """Moves the events to Spark, and fits them there."""

    def __init__(self, spark: SparkSession, trainer: SparkTrainer[Model]) -> None:
        self._spark, self._trainer = spark, trainer

    def fit(self, data: TrainingData) -> Model:
        """The model of the data."""
        return self._trainer.fit(SparkData.of(self._spark, data))
