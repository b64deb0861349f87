"""Which kinds of models Spark fits: a trainer beside each one's local twin, made of the same `Config`."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from homefeed.protocols import Model
from homefeed.recipe import PartSpec
from homefeed.train.spark.data import SparkTrainer

_TRAINERS: Final = {
    "als": "SparkAlsTrainer",
    "association": "SparkAssociationTrainer",
    "content": "SparkContentTrainer",
    "item_item": "SparkItemItemTrainer",
}


def spark_trainer(spec: PartSpec) -> SparkTrainer[Model] | None:
    """The trainer on Spark of one of the recipe's models; None where models of this kind have none."""
    place = f"homefeed.train.spark.{spec.part}"
    if spec.part not in _TRAINERS or find_spec(place) is None:
        return None
    make: Any = getattr(import_module(place), _TRAINERS[spec.part])
    trainer: SparkTrainer[Model] = make(spec.config)
    return trainer
