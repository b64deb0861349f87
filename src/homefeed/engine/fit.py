"""Fits an app's models from its training data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from homefeed.catalog import EventWeights, SignalsModel, strengths
from homefeed.catalog.signals import trend_of, typical_full
from homefeed.protocols import Model, NamesTextModel, Trainer
from homefeed.recipe import PartSpec, Recipe, find_part
from homefeed.types import Floats, Numbers, TrainingData


def event_weights(recipe: Recipe) -> EventWeights:
    """The recipe's event types as columns."""
    types = recipe.events.values()
    return EventWeights(
        names=recipe.event_types,
        weight=np.array([event.weight for event in types], np.float32),
        full=np.array([event.full if isinstance(event.full, float) else math.nan for event in types], np.float32),
        typical=np.array([event.full == "typical" for event in types], np.bool_),
    )


@dataclass(frozen=True, slots=True)
class Prepared:
    """Training data with its strengths, and the typical full values they were measured by."""

    data: TrainingData
    full: Floats
    group_full: Mapping[str, float]


def prepare(recipe: Recipe, data: TrainingData) -> Prepared:
    """Give the events their strengths, by the typical full values of these events and no others."""
    full, groups = _item_full(recipe, data)
    events = data.interactions
    strength = strengths(event_weights(recipe), events.types, events.values, full[events.items])
    return Prepared(replace(data, interactions=replace(events, strengths=strength)), full, groups)


def _item_full(recipe: Recipe, data: TrainingData) -> tuple[Floats, dict[str, float]]:
    signals, events = recipe.signals, data.interactions
    group = data.terms[signals.full_group] if signals.full_group else [()] * data.item_count
    typical = event_weights(recipe).typical
    relevant = typical[events.types] & (events.types >= 0)
    return typical_full(
        events.items[relevant],
        events.values[relevant],
        [terms[0] if terms else "" for terms in group],
        quantile=signals.full_quantile,
        shrinkage=signals.full_shrinkage,
        default=signals.full_default,
    )


def fit_signals(recipe: Recipe, prepared: Prepared, watermark: int) -> SignalsModel:
    """Count the events; `watermark` is how far in the log they reach."""
    data, events, groups = prepared.data, prepared.data.interactions, prepared.group_full
    # An event told with a time to come counts as of now: else it would outweigh all others until that time.
    events = replace(events, times=np.minimum(events.times, data.now))
    landmark = int(events.times.max()) if len(events) else data.now
    half_life = recipe.signals.trending_half_life
    count = data.item_count
    return SignalsModel(
        numbers=data.numbers,
        events=np.bincount(events.items[events.strengths >= 0], minlength=count).astype(np.float64),
        strength=np.bincount(events.items, np.maximum(events.strengths, 0), minlength=count).astype(np.float64),
        trend=trend_of(events, count, half_life, landmark),
        full=prepared.full,
        group_full={name: value for name, value in groups.items() if name},
        default_full=groups[""],
        landmark=landmark,
        watermark=watermark,
        distinct={name: _pairs(recipe, data, name) for name in recipe.signals.distinct},
    )


def _pairs(recipe: Recipe, data: TrainingData, event_type: str) -> Numbers:
    """(n, 2) the user and the item of every event of a type, by their numbers, each pair once."""
    events = data.interactions
    told = events.types == recipe.event_types.index(event_type)
    users = data.user_numbers[events.users[told]] if len(data.user_numbers) else events.users[told]
    return np.unique(np.stack([users, data.numbers[events.items[told]]], axis=1).astype(np.int32), axis=0)


def with_text_model(recipe: Recipe, path: Path | None) -> Recipe:
    """The recipe with that text model for every model that can use one and names none."""

    def told(spec: PartSpec) -> PartSpec:
        if path is None or not isinstance(spec.config, NamesTextModel) or spec.config.text_model is not None:
            return spec
        return replace(spec, config=spec.config.model_copy(update={"text_model": str(path)}))

    return replace(recipe, models=tuple(told(spec) for spec in recipe.models))


def fit_model(spec: PartSpec, data: TrainingData) -> Model:
    """Fit one of the recipe's models."""
    trainer: Trainer[Model] = find_part("trainer", spec.part)(spec.config)
    return trainer.fit(data)
