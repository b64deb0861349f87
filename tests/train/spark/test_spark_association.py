"""Association rules by Spark are the local ones, to the last bit."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.retrieve.association.association_sample import LIFELONG
from tests.train.spark.spark_sample import Twin, generated_events, in_another_order

from homefeed.retrieve.association.model import AssociationConfig, AssociationModel
from homefeed.retrieve.association.trainer import AssociationTrainer
from homefeed.testing import ModelContract, TrainerContract, World, toy_world
from homefeed.train.spark import association
from homefeed.train.spark.association import SparkAssociationTrainer
from homefeed.train.spark.data import SparkData

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def trainer_of(**config: Any) -> SparkAssociationTrainer:
    return SparkAssociationTrainer(AssociationConfig.model_validate(config))


class TestSparkAssociationTrainer(TrainerContract):
    @pytest.fixture(autouse=True)
    def on_spark(self, spark: SparkSession) -> None:
        self.spark = spark

    def make(self) -> Twin:
        return Twin(self.spark, trainer_of(**LIFELONG))


class TestModelOfSparkAssociation(ModelContract):
    @pytest.fixture(autouse=True)
    def on_spark(self, spark: SparkSession) -> None:
        self.spark = spark

    def make(self, world: World) -> AssociationModel:
        assert len(world.data.numbers) == len(toy_world().data.numbers)
        return of_toy_world(self.spark)


@cache
def of_toy_world(spark: SparkSession) -> AssociationModel:
    """Fitted once: it is frozen."""
    model: AssociationModel = Twin(spark, trainer_of(**LIFELONG)).fit(toy_world().data)
    return model


def check_equal(found: AssociationModel, expected: AssociationModel, least: int) -> None:
    """There are so many rules at least, and they are equal."""
    assert found.baskets == expected.baskets
    assert len(expected.indices) >= least
    for name in ("numbers", "indptr", "indices", "weights", "support", "confidence", "lift"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


@pytest.mark.parametrize(
    "config",
    [
        {"gap_minutes": 2_000, "max_items_per_basket": 30, "neighbours": 20, "min_baskets": 2},
        {"gap_minutes": 2_000, "once_per_user": False, "min_confidence": 0.1, "min_baskets": 1, "neighbours": 50},
    ],
)
def test_rules_are_those_of_the_local_trainer_however_spark_parts_the_events(
    spark: SparkSession, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = generated_events(4_000)
    monkeypatch.setattr(association, "PAIRS_AT_ONCE", 5_000)
    moved = in_another_order(SparkData.of(spark, data))
    check_equal(trainer_of(**config).fit(moved), AssociationTrainer(AssociationConfig(**config)).fit(data), 500)


@pytest.mark.parametrize("once_per_user", [True, False])
def test_fp_growth_finds_the_same_rules(spark: SparkSession, once_per_user: bool) -> None:
    data = generated_events(2_000)
    config = {"gap_minutes": 500, "max_items_per_basket": 8, "min_baskets": 2, "min_support": 0.0}
    config |= {"once_per_user": once_per_user}
    expected = AssociationTrainer(AssociationConfig.model_validate(config)).fit(data)
    check_equal(trainer_of(method="fp_growth", **config).fit(SparkData.of(spark, data)), expected, 30)
