"""Baskets and worlds whose rules can be counted by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from homefeed.retrieve.association.model import AssociationConfig, AssociationModel
from homefeed.retrieve.association.trainer import AssociationTrainer
from homefeed.testing import World, make_world
from homefeed.testing.world import ITEMS, NOW, PLAYS, RECIPE
from homefeed.types import Interactions, TrainingData

MINUTE = 60_000_000

LIFELONG: Mapping[str, Any] = {"gap_minutes": 1_000_000, "min_baskets": 1}
"""All that a viewer of the toy world ever played is one basket."""


def rules_world(**config: Any) -> World:
    """The toy world with a model of association beside the others."""
    models = {**RECIPE["models"], "association": {**LIFELONG, **config}}
    return make_world(ITEMS, PLAYS, declared={**RECIPE, "models": models})


def events_data(events: Sequence[tuple[int, int, float]], items: int, strengths: float = 1.0) -> TrainingData:
    """Events as (user, item, minute). The number of an item is 100 + its position."""
    ordered = sorted(events, key=lambda event: event[2])
    users, positions, minutes = zip(*ordered, strict=True) if ordered else ((), (), ())
    interactions = Interactions(
        np.array(users, np.int32),
        np.array(positions, np.int32),
        np.zeros(len(ordered), np.int32),
        np.full(len(ordered), np.nan, np.float32),
        np.full(len(ordered), strengths, np.float32),
        np.array([NOW + int(minute * MINUTE) for minute in minutes], np.int64),
    )
    numbers = np.arange(100, 100 + items, dtype=np.int32)
    return TrainingData(interactions, max(users, default=-1) + 1, numbers, {}, NOW)


def basket_data(baskets: Sequence[Sequence[int]], items: int) -> TrainingData:
    """Each basket of a user of its own."""
    return events_data([(user, item, 0) for user, basket in enumerate(baskets) for item in basket], items)


def owned_data(baskets: Sequence[tuple[int, Sequence[int]]], items: int) -> TrainingData:
    """Each basket of the user beside it, a day after the one before."""
    day = 24 * 60
    events = [(user, item, n * day) for n, (user, basket) in enumerate(baskets) for item in basket]
    return events_data(events, items)


def fitted(data: TrainingData, **config: Any) -> AssociationModel:
    """The model of data."""
    return AssociationTrainer(AssociationConfig.model_validate(config)).fit(data)


def told(model: AssociationModel) -> dict[tuple[int, int], tuple[float, float, float]]:
    """Support, confidence and lift of every rule, by its rows, in the model's order."""
    items = np.repeat(np.arange(len(model.numbers)), np.diff(model.indptr)).tolist()
    columns = (column.tolist() for column in (model.indices, model.support, model.confidence, model.lift))
    return {(item, other): figures for item, other, *figures in zip(items, *columns, strict=True)}  # type: ignore[misc]
