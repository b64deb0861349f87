"""Counts what all events together say of each item."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from homefeed.catalog import SignalsModel
from homefeed.catalog.pairs import Pairs, keys_of, pairs_of
from homefeed.catalog.signals import Doubles, counts_of
from homefeed.catalog.windows import counted
from homefeed.engine.strengths import Prepared
from homefeed.recipe import Recipe
from homefeed.recipe.declaration import Signals
from homefeed.types import Interactions, Numbers, Times, TrainingData


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
    return pairs, counts_of_pairs(pairs, data, landmark, half_life)


def counts_of_pairs(
    pairs: Pairs, data: TrainingData, landmark: int, half_life: float
) -> tuple[Doubles, Doubles, Doubles]:
    """The sums of what counts where a user counts once for an item; the events of `data` are not looked at."""
    position_of = np.empty(data.numbers.max(initial=-1) + 1, np.int32)
    position_of[data.numbers] = np.arange(data.item_count)
    left = np.exp2(pairs.levels - landmark / half_life)
    return counts_of(position_of[pairs.items], pairs.strengths, left, data.item_count)


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
