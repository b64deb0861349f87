"""The item-item model by Spark is the local one, but for rounding."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tests.retrieve.item_item.item_item_sample import neighbours
from tests.train.spark.spark_sample import Twin, generated_events, in_another_order

from homefeed.retrieve.item_item.model import ItemItemConfig, ItemItemModel
from homefeed.retrieve.item_item.trainer import ItemItemTrainer
from homefeed.testing import ModelContract, TrainerContract, World, toy_world
from homefeed.train.spark.data import SparkData
from homefeed.train.spark.item_item import SparkItemItemTrainer

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CONFIG = ItemItemConfig(candidates=60, neighbours=40, dimensions=24, max_items_per_user=200, min_users=2)


class TestSparkItemItemTrainer(TrainerContract):
    @pytest.fixture(autouse=True)
    def on_spark(self, spark: SparkSession) -> None:
        self.spark = spark

    def make(self) -> Twin:
        return Twin(self.spark, SparkItemItemTrainer(ItemItemConfig()))


class TestModelOfSparkItemItem(ModelContract):
    @pytest.fixture(autouse=True)
    def on_spark(self, spark: SparkSession) -> None:
        self.spark = spark

    def make(self, world: World) -> ItemItemModel:
        assert len(world.data.numbers) == len(toy_world().data.numbers)
        return of_toy_world(self.spark)


@cache
def of_toy_world(spark: SparkSession) -> ItemItemModel:
    """Fitted once: it is frozen."""
    model: ItemItemModel = Twin(spark, SparkItemItemTrainer(ItemItemConfig())).fit(toy_world().data)
    return model


def overlap(one: ItemItemModel, other: ItemItemModel, count: int = 20) -> float:
    """The mean share of the first neighbours of an item that both have."""
    tops = [[[*neighbours(model, row)][:count] for row in range(len(model.numbers))] for model in (one, other)]
    shares = [len({*mine} & {*theirs}) / len(mine) for mine, theirs in zip(*tops, strict=True) if mine]
    return float(np.mean(shares))


def test_the_neighbours_are_those_of_the_local_trainer_however_spark_parts_the_events(spark: SparkSession) -> None:
    data = generated_events(4_000)
    local, moved = ItemItemTrainer(CONFIG).fit(data), SparkData.of(spark, data)
    found = SparkItemItemTrainer(CONFIG).fit(moved)
    assert overlap(local, found) > 0.99
    assert np.diff(found.indptr).sum() > 5_000
    np.testing.assert_allclose(np.sort(found.weights), np.sort(local.weights), rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(found.derived, local.derived)
    again = SparkItemItemTrainer(CONFIG).fit(in_another_order(moved))
    np.testing.assert_array_equal(again.indices, found.indices)
    np.testing.assert_array_equal(again.weights, found.weights)


def test_a_matrix_too_large_for_the_driver_leaves_much_the_same_neighbours(spark: SparkSession) -> None:
    data = generated_events(4_000)
    config = CONFIG.model_copy(update={"candidates": 2})
    local = ItemItemTrainer(config).fit(data)
    # It has 4,000 entries, the Gram matrix fewer.
    found = SparkItemItemTrainer(config, entries=2_000).fit(SparkData.of(spark, data))
    assert 0.9 < overlap(local, found) < 1
    assert (found.weights != local.weights).any()
