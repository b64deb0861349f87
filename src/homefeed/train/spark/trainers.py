"""Which kinds of models Spark fits: a trainer beside each one's local twin, made of the same `Config`."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from pyspark.sql import SparkSession

from homefeed.protocols import Model
from homefeed.recipe import PartSpec
from homefeed.train.spark.data import SparkTrainer
from homefeed.train.spark.session import CHECKPOINTS

_TRAINERS: Final = {
    "als": "SparkAlsTrainer",
    "association": "SparkAssociationTrainer",
    "content": "SparkContentTrainer",
    "item_item": "SparkItemItemTrainer",
}
_OF_MANY_STEPS: Final = ("als",)
_NO_CHECKPOINTS: Final = (
    "needs a folder for checkpoints that all nodes of the cluster share: "
    f"--spark-conf {CHECKPOINTS}=URL; until then the one before serves"
)


def lacking(spec: PartSpec, spark: SparkSession) -> str | None:
    """What a session lacks for one of the recipe's models; None where nothing."""
    needed = spec.part in _OF_MANY_STEPS and spark.sparkContext.getCheckpointDir() is None
    return _NO_CHECKPOINTS if needed else None


def spark_trainer(spec: PartSpec) -> SparkTrainer[Model] | None:
    """The trainer on Spark of one of the recipe's models; None where models of this kind have none."""
    place = f"homefeed.train.spark.{spec.part}"
    if spec.part not in _TRAINERS or find_spec(place) is None:
        return None
    make: Any = getattr(import_module(place), _TRAINERS[spec.part])
    trainer: SparkTrainer[Model] = make(spec.config)
    return trainer
