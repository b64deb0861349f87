"""Fits an app's models from its training data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from homefeed.catalog import EventWeights, SignalsModel, strengths
from homefeed.catalog.pairs import Pairs, keys_of, pairs_of
from homefeed.catalog.partitions import name_in
from homefeed.catalog.signals import Doubles, counts_of, typical_full
from homefeed.catalog.windows import counted
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
from homefeed.recipe.declaration import Signals
from homefeed.retrieve.content.embedding import NO_TEXT_MODEL, default_text_model
from homefeed.retrieve.joining import rows_among
from homefeed.types import Floats, Interactions, Numbers, Times, TrainingData


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
    """The typical full value of each item, and of groups of items: of each partition's by its own events."""
    if not data.partitions:
        return _full_within(recipe, data)
    default = recipe.signals.full_default
    full, groups = np.full(data.item_count, default, np.float32), {"": default}
    for partition, part in partitions_of(data):
        own, of_group = _full_within(recipe, part)
        full[next(rows_among(data.numbers, [part.numbers]))] = own
        groups |= {name_in(name, partition): value for name, value in of_group.items()}
    return full, groups


def _full_within(recipe: Recipe, data: TrainingData) -> tuple[Floats, dict[str, float]]:
    signals = recipe.signals
    group = data.terms[signals.full_group] if signals.full_group else [()] * data.item_count
    relevant = event_weights(recipe).typical[data.interactions.types] & (data.interactions.types >= 0)
    events = data.interactions.take(relevant)
    if signals.count == "users":
        events = _largest(events)
    return typical_full(
        events.items,
        events.values,
        [terms[0] if terms else "" for terms in group],
        quantile=signals.full_quantile,
        shrinkage=signals.full_shrinkage,
        default=signals.full_default,
    )


def _largest(events: Interactions) -> Interactions:
    """Of each user's events of an item the one of the largest value: nobody makes typical what they alone do."""
    order = np.lexsort((-np.nan_to_num(events.values, nan=-np.inf), events.items, events.users))
    users, items = events.users[order], events.items[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    return events.take(order[first])


def fit_signals(recipe: Recipe, prepared: Prepared, watermark: int) -> SignalsModel:
    """Count the events; `watermark` is how far in the log they reach."""
    data, groups = prepared.data, prepared.group_full
    # An event told with a time to come counts as of now: else it would outweigh all others until that time.
    events = replace(data.interactions, times=np.minimum(data.interactions.times, data.now))
    landmark = int(events.times.max()) if len(events) else data.now
    counting = events.take(events.strengths >= 0)
    pairs, sums = _counted(recipe.signals, data, counting, landmark)
    recent, latest = _recent(recipe.signals, data.item_count, counting)
    return SignalsModel(
        data.numbers,
        *sums,
        full=prepared.full,
        recent=recent,
        latest=latest,
        engagement=np.bincount(events.items, events.strengths, data.item_count).astype(np.float64),
        group_full={name: value for name, value in groups.items() if name},
        default_full=groups[""],
        landmark=landmark,
        watermark=watermark,
        distinct={name: _told(recipe, data, name) for name in recipe.signals.distinct},
        pairs=pairs,
    )


def _counted(
    signals: Signals, data: TrainingData, events: Interactions, landmark: int
) -> tuple[Pairs, tuple[Doubles, Doubles, Doubles]]:
    """The pairs of users and items, where a user counts once for an item; and the sums of what counts."""
    half_life = signals.trending_half_life
    if signals.count == "events":
        left: Doubles = np.exp2((events.times - landmark) / half_life) * events.strengths
        return Pairs(), counts_of(events.items, events.strengths, left, data.item_count)
    users, items = data.numbers_of_users(events.users), data.numbers[events.items]
    pairs = pairs_of(users, items, events.strengths, events.times, half_life)
    position_of = np.empty(data.numbers.max(initial=-1) + 1, np.int32)
    position_of[data.numbers] = np.arange(data.item_count)
    left = np.exp2(pairs.levels - landmark / half_life)
    return pairs, counts_of(position_of[pairs.items], pairs.strengths, left, data.item_count)


def _recent(signals: Signals, item_count: int, events: Interactions) -> tuple[Doubles, Times]:
    """The events that count in the last hour, day and week: of a user's of an item the first."""
    if signals.count == "users":
        _, first = np.unique(keys_of(events.users, events.items), return_index=True)
        events = events.take(np.sort(first))
    return counted(events.items, events.times, item_count)


def _told(recipe: Recipe, data: TrainingData, event_type: str) -> Numbers:
    """(n, 2) the user and the item of every event of a type, by their numbers, each pair once."""
    events = data.interactions
    told = events.types == recipe.event_types.index(event_type)
    users, items = data.numbers_of_users(events.users[told]), data.numbers[events.items[told]]
    return np.unique(np.stack([users, items], axis=1).astype(np.int32), axis=0)


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
        return fit_apart(spec.name, trainer, data)
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
