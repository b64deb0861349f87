"""The content model on Spark: the words of the local trainer to the last bit, and its directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.train.spark.moved import Moved

from homefeed.retrieve.content.embedding import WORDLLAMA, default_text_model
from homefeed.retrieve.content.model import ContentConfig, ContentModel
from homefeed.retrieve.content.trainer import ContentTrainer
from homefeed.testing import TrainerContract, toy_world
from homefeed.train.spark.content import SparkContentTrainer
from homefeed.train.spark.data import SparkData
from homefeed.types import Interactions, TrainingData

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FIELDS = {"title": 1.0, "genre": 2.0}


class TestSparkContentTrainer(TrainerContract):
    @pytest.fixture(autouse=True)
    def _on(self, spark: SparkSession) -> None:
        self.spark = spark

    def make(self) -> Moved:
        return Moved(self.spark, SparkContentTrainer(ContentConfig(fields=FIELDS)))


@pytest.mark.parametrize("text_model", [None, WORDLLAMA])
def test_it_is_the_model_of_the_local_trainer(spark: SparkSession, text_model: str | None) -> None:
    """Of equally frequent words those that are kept, too; every item's nearest, too.

    Four directions, one for each genre: of those beyond, singular values are too close to tell them apart.
    """
    if text_model and default_text_model() is None:
        pytest.skip("no text model is installed")
    data, config = _titled(300), ContentConfig(fields=FIELDS, dimensions=4, max_words=60, text_model=text_model)
    local, found = ContentTrainer(config).fit(data), SparkContentTrainer(config).fit(SparkData.of(spark, data))
    assert dict(found.words) == dict(local.words)
    np.testing.assert_array_equal(found.weights, local.weights)
    np.testing.assert_allclose(found.vectors @ found.vectors.T, local.vectors @ local.vectors.T, atol=0.02)
    assert _overlap(local, found) > 0.95
    item = {"title": ("harbour lights",), "genre": ("Drama",)}
    np.testing.assert_allclose(np.linalg.norm(found.embed([item])), 1, rtol=1e-5)


def _titled(count: int) -> TrainingData:
    """Items of four genres, each with words of its own, more and less frequent."""
    rng = np.random.default_rng(0)
    events: Interactions = toy_world().data.interactions.take(slice(0, 0))
    words = [
        "harbour",
        "winter",
        "quiet",
        "orchard",
        "star",
        "dawn",
        "refuge",
        "laugh",
        "second",
        "lights",
        "river",
    ]
    genres = rng.integers(4, size=count)
    titles = [
        " ".join(words[(3 * genre + rank) % len(words)] for rank in np.minimum(rng.geometric(0.4, 3), 9))
        + f" {rng.integers(40)}th"
        for genre in genres
    ]
    terms = {
        "title": [(title,) for title in titles],
        "genre": [(("Drama", "SciFi", "Comedy", "Crime")[genre],) for genre in genres],
    }
    return TrainingData(events, 0, np.arange(count, dtype=np.int32), terms, 0)


def _overlap(one: ContentModel, other: ContentModel, k: int = 20) -> float:
    """The mean share of each item's k nearest that both have."""
    shares = []
    for item in range(len(one.vectors)):
        cosines = one.vectors @ one.vectors[item]
        first, second = (np.argsort(-(m.vectors @ m.vectors[item]), kind="stable")[:k] for m in (one, other))
        # Of equals any will do.
        shares.append(np.mean(np.isin(second, first) | (cosines[second] >= cosines[first[-1]] - 1e-2)))
    return float(np.mean(shares))
