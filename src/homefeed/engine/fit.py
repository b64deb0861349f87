"""Fits an app's models from its training data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from homefeed.engine.apart import fit_apart, partitions_of
from homefeed.engine.stand_ins import can_do_without
from homefeed.labelled import LabelledPairs
from homefeed.protocols import (
    BatchTrainer,
    Model,
    NamesTextModel,
    PairModel,
    PairTrainer,
    RankingModel,
    RankingTrainer,
    Trainer,
)
from homefeed.ranking import RankingData
from homefeed.recipe import PartSpec, Recipe, find_part
from homefeed.retrieve.content.embedding import NO_TEXT_MODEL, default_text_model
from homefeed.types import TrainingData


def with_text_model(recipe: Recipe, name: str | None) -> Recipe:
    """The recipe with that text model for every model that can use one and names none."""

    def told(spec: PartSpec) -> PartSpec:
        if name is None or not isinstance(spec.config, NamesTextModel) or spec.config.text_model is not None:
            return spec
        return replace(spec, config=spec.config.model_copy(update={"text_model": name}))

    return replace(recipe, models=tuple(told(spec) for spec in recipe.models))


def text_model_of(named: str | None) -> str | None:
    """The text model to use where the settings name that one: by default the one that is installed, if any."""
    if named == NO_TEXT_MODEL:
        return None
    return default_text_model() if named is None else named


def fit_model(spec: PartSpec, data: TrainingData, progress: Callable[[int, int], None] | None = None) -> Model:
    """Fit one of the recipe's models: where the recipe keeps users apart, to each partition by itself.

    `progress` is called with (users done, all users) by trainers that take them in batches.

    Raises:
        RecipeError: users are kept apart, and models of this kind cannot be joined.
    """
    trainer: Trainer[Model] = find_part("trainer", spec.part)(spec.config)
    if data.partitions:
        return fit_apart(
            spec.name, data.numbers, ((name, trainer.fit(part)) for name, part in partitions_of(data))
        )
    if progress is not None and isinstance(trainer, BatchTrainer):
        model: Model = trainer.fit_in_batches(data, progress)
        return model
    return trainer.fit(data)


def fit_models(recipe: Recipe, data: TrainingData) -> dict[str, Model]:
    """Fit all of the recipe's models that can be: see `can_do_without`."""
    without = can_do_without(recipe)
    return {spec.name: fit_model(spec, data) for spec in recipe.models if spec.name not in without}


def ranking_trainer(spec: PartSpec) -> RankingTrainer[RankingModel]:
    """The trainer of a feed's learned ranker.

    Raises:
        HomefeedError: something that it needs is not installed.
    """
    trainer: RankingTrainer[RankingModel] = find_part("trainer", spec.part)(spec.config)
    return trainer


def fit_ranking_model(spec: PartSpec, data: RankingData) -> RankingModel:
    """Fit the learned ranker of a feed."""
    return ranking_trainer(spec).fit(data)


def fit_pair_model(spec: PartSpec, pairs: LabelledPairs) -> PairModel:
    """Fit one of the recipe's models of labelled pairs."""
    trainer: PairTrainer[PairModel] = find_part("trainer", spec.part)(spec.config)
    return trainer.fit(pairs)
