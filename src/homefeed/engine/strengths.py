"""How much each event says, by its weight in the recipe and the typical full values of the data at hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from homefeed.catalog import EventWeights, strengths
from homefeed.catalog.partitions import name_in
from homefeed.catalog.signals import Quantiles, quantiles_of, typical_full
from homefeed.engine.apart import items_of_partitions
from homefeed.recipe import Recipe
from homefeed.types import Floats, Interactions, TrainingData


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
    full, groups = item_full(recipe, data, _quantiles(recipe, data))
    events = data.interactions
    strength = strengths(event_weights(recipe), events.types, events.values, full[events.items])
    return Prepared(replace(data, interactions=replace(events, strengths=strength)), full, groups)


def item_full(recipe: Recipe, data: TrainingData, quantiles: Quantiles) -> tuple[Floats, dict[str, float]]:
    """The typical full value of each item, and of groups of items: of each partition's by its own events.

    The events of `data` are not looked at.
    """
    signals = recipe.signals
    terms = data.terms[signals.full_group] if signals.full_group else [()] * data.item_count
    group = np.array([each[0] if each else "" for each in terms], object)
    default = signals.full_default

    def within(items: np.ndarray) -> tuple[Floats, dict[str, float]]:
        chosen = quantiles.take(items), group[items].tolist()
        return typical_full(*chosen, shrinkage=signals.full_shrinkage, default=default)

    if not data.partitions:
        return within(np.arange(data.item_count))
    full, groups = np.full(data.item_count, default, np.float32), {"": default}
    for partition, items in items_of_partitions(data.partitions):
        full[items], of_group = within(items)
        groups |= {name_in(name, partition): value for name, value in of_group.items()}
    return full, groups


def _quantiles(recipe: Recipe, data: TrainingData) -> Quantiles:
    relevant = event_weights(recipe).typical[data.interactions.types] & (data.interactions.types >= 0)
    events = data.interactions.take(relevant)
    if recipe.signals.count == "users":
        events = _largest(events)
    return quantiles_of(events.items, events.values, data.item_count, recipe.signals.full_quantile)


def _largest(events: Interactions) -> Interactions:
    """Of each user's events of an item the one of the largest value: nobody makes typical what they alone do."""
    order = np.lexsort((-np.nan_to_num(events.values, nan=-np.inf), events.items, events.users))
    users, items = events.users[order], events.items[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    return events.take(order[first])
