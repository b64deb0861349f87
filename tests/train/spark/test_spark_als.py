"""ALS on Spark: the same loss in all but what its docstring says, and lists as good as the local trainer's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.retrieve.events_sample import Events, data_of
from tests.train.spark.moved import Moved

from homefeed.errors import HomefeedError
from homefeed.evaluate.bootstrap import paired_differences
from homefeed.retrieve.als.model import AlsConfig, AlsModel
from homefeed.retrieve.als.trainer import AlsTrainer
from homefeed.retrieve.als.trainer import confidences as local_confidences
from homefeed.testing import TrainerContract
from homefeed.train.spark.als import SparkAlsTrainer, confidences
from homefeed.train.spark.data import SparkData
from homefeed.types import TrainingData

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class TestSparkAlsTrainer(TrainerContract):
    @pytest.fixture(autouse=True)
    def _on(self, spark: SparkSession) -> None:
        self.spark = spark

    def make(self) -> Moved:
        return Moved(self.spark, SparkAlsTrainer(AlsConfig(factors=4, iterations=1)))


def test_confidences_are_those_of_the_local_trainer(spark: SparkSession) -> None:
    """The strongest event of a pair, the later of equals; who likes nothing and what nobody likes are left out."""
    rng = np.random.default_rng(1)
    strengths = rng.choice([-1.0, -0.5, 0.0, 0.25, 0.5, 1.0], 150).tolist()
    events = list(
        zip(rng.integers(9, size=150).tolist(), rng.integers(11, size=150).tolist(), strengths, strict=True)
    )
    events += [(9, item, -1.0) for item in range(11)] + [(user, 11, -0.5) for user in range(10)]
    data = data_of(events, 10, 12)
    matrix, items = local_confidences(data, alpha=2.0)
    found = np.zeros((10, 12))
    for user, item, strength in (
        confidences(SparkData.of(spark, data).events).select("user", "item", "strength").collect()
    ):
        found[user, item] = np.sign(strength) * (1 + 2 * abs(strength))
    np.testing.assert_array_equal(found[:9, items], matrix.toarray())
    assert np.count_nonzero(found) == matrix.nnz


def test_a_single_like_by_hand(spark: SparkSession) -> None:
    """As for the local trainer: |x|^2 = |y|^2 = 1 - lambda / c, c = 11."""
    config = AlsConfig(factors=4, regularization=1, alpha=10, iterations=20)
    model = SparkAlsTrainer(config).fit(SparkData.of(spark, data_of([(3, 2, 1.0)])))
    assert model.numbers.tolist() == [102]
    score = model.factors @ model.fold_in(np.zeros(1, np.int32), np.ones(1, np.float32))
    assert score.item() == pytest.approx(1 - 1 / 11, rel=1e-3)


def test_weights_beyond_all_bounds_say_so(spark: SparkSession) -> None:
    events = [(user, item, 1e25) for user in range(5) for item in range(6)]
    with pytest.raises(HomefeedError, match="lower alpha"):
        SparkAlsTrainer(AlsConfig(factors=8, iterations=3)).fit(SparkData.of(spark, data_of(events)))


def test_lists_are_as_good_as_those_of_the_local_trainer(spark: SparkSession) -> None:
    """Hits of held-out likes among the first ten: the difference is within chance, and vectors are as long."""
    data, held_out = _with_tastes(np.random.default_rng(0))
    config = AlsConfig(factors=16, iterations=5)
    local, distributed = AlsTrainer(config).fit(data), SparkAlsTrainer(config).fit(SparkData.of(spark, data))
    hits = {"local": _hits(local, data, held_out), "spark": _hits(distributed, data, held_out)}
    difference = paired_differences(
        {"hits": hits["spark"]}, {"hits": hits["local"]}, np.random.default_rng(0), 500
    )["hits"]
    assert difference.low <= 0 <= difference.high
    assert abs(hits["spark"].mean() - hits["local"].mean()) < 0.05
    assert hits["local"].mean() > 0.25, "a list by chance hits a fifteenth"
    assert np.linalg.norm(distributed.factors) == pytest.approx(np.linalg.norm(local.factors), rel=0.1)


def _with_tastes(
    rng: np.random.Generator, users: int = 300, items: int = 150
) -> tuple[TrainingData, list[list[int]]]:
    """Likes of users with tastes, of items more and less popular, a dislike each; two likes are held out."""
    tastes, groups = rng.dirichlet(np.full(8, 0.2), users), rng.integers(8, size=items)
    popularity = rng.permutation(1 / np.arange(1, items + 1) ** 0.7)
    events: Events = []
    held_out = []
    for user in range(users):
        chances = (tastes[user][groups] + 1e-4) * popularity
        liked = rng.choice(items, rng.integers(6, 28), replace=False, p=chances / chances.sum()).tolist()
        held_out.append(liked[-2:])
        events += [(user, item, float(rng.uniform(0.3, 1))) for item in liked[:-2]]
        events.append((user, int(rng.integers(items)), -0.2))
    return data_of(events, users, items), held_out


def _hits(model: AlsModel, data: TrainingData, held_out: list[list[int]]) -> np.ndarray:
    """(users,) the share of what was held out among the first ten."""
    row_of = np.full(data.item_count, -1, np.int32)
    row_of[model.numbers - 100] = np.arange(len(model.numbers))
    found = []
    for user, wanted in enumerate(held_out):
        own = data.interactions.take(data.interactions.users == user)
        rows = row_of[own.items]
        scores = model.factors @ model.fold_in(rows[rows >= 0], own.strengths[rows >= 0]).sum(axis=1)
        scores[rows[rows >= 0]] = -np.inf
        first = model.numbers[np.argsort(-scores)[:10]] - 100
        found.append(np.isin(wanted, first).mean())
    return np.array(found)
