"""Events for trainers on Spark, and what makes of such a trainer one that contract suites know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.cf.synthetic import generate
from homefeed.testing.world import NOW
from homefeed.train.spark.data import SparkData, SparkTrainer
from homefeed.types import SECOND, Interactions, TrainingData

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Twin:
    """A trainer on Spark that takes what its local twin takes."""

    spark: SparkSession
    trainer: SparkTrainer[Any]

    def fit(self, data: TrainingData) -> Any:
        """The model of data that is moved to Spark."""
        return self.trainer.fit(SparkData.of(self.spark, data))


def generated_events(pairs: int, seed: int = 3) -> TrainingData:
    """Different pairs of users and items, some of them twice, some disliked, strengths and times as they come.

    One item is had by everybody, and one user, the first, has 3,000 events on half of the items.
    """
    matrix = generate(pairs, seed)
    rng = np.random.default_rng(seed)
    count, items = matrix.shape
    users, had = matrix.nonzero()
    again = rng.integers(len(users), size=len(users) // 5)
    busy = rng.integers(items // 2, size=3_000)
    users = np.concatenate([users, users[again], np.arange(count), np.zeros(len(busy), np.int64)])
    had = np.concatenate([had, had[again], np.full(count, items - 1), busy])
    order = rng.permutation(len(users))
    strengths = np.where(rng.random(len(users)) < 0.05, -1, rng.choice([0.25, 0.5, 1.0], len(users)))
    events = Interactions(
        users[order].astype(np.int32),
        had[order].astype(np.int32),
        np.zeros(len(users), np.int32),
        np.full(len(users), np.nan, np.float32),
        strengths.astype(np.float32),
        NOW + np.sort(rng.integers(40_000, size=len(users))) * 60 * SECOND,
    )
    return TrainingData(events, count, np.arange(items, dtype=np.int32) + 7, {}, NOW, seed=5)


def in_another_order(data: SparkData) -> SparkData:
    """The same, parted in another way."""
    return replace(data, events=data.events.repartition(5, "value", "seq"))
