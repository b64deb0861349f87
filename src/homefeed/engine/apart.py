"""Models of an app whose users are kept apart: a partition's is fitted to its own items and events, no others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from homefeed.errors import RecipeError
from homefeed.protocols import JoinableModel, Model, Trainer
from homefeed.types import TrainingData


def fit_apart(name: str, trainer: Trainer[Model], data: TrainingData) -> Model:
    """One model of the partitions' own.

    Raises:
        RecipeError: models of this kind cannot be joined.
    """
    parts: dict[str, JoinableModel] = {}
    for partition, part in partitions_of(data):
        model = trainer.fit(part)
        if not isinstance(model, JoinableModel):
            raise RecipeError(
                f"models.{name}: the recipe's [isolation] keeps users apart, and {type(model).__name__} has no "
                "joined(), which makes one model of those of each partition; see docs/plugins.md"
            )
        parts[partition] = model
    joined: Model = type(next(iter(parts.values()))).joined(parts, data.numbers)
    return joined


def partitions_of(data: TrainingData) -> Iterator[tuple[str, TrainingData]]:
    """Each partition's items, events on them and users of those; of no items the one that has none.

    Items without a partition are of none.
    """
    names, codes = np.unique(np.array([*data.partitions], object), return_inverse=True)
    items_of = _rows_by_code(codes, len(names))
    events_of = _rows_by_code(codes[data.interactions.items], len(names))
    found = [(name, items, events) for name, items, events in zip(names, items_of, events_of, strict=True) if name]
    nothing = np.empty(0, np.intp)
    for name, items, events in found or [("", nothing, nothing)]:
        yield name, _part(data, items, events)


def _rows_by_code(codes: npt.NDArray[np.intp], count: int) -> list[npt.NDArray[np.intp]]:
    """The rows of each code, rising."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.searchsorted(codes[order], np.arange(1, count))) if count else []


def _part(data: TrainingData, items: npt.NDArray[np.intp], events: npt.NDArray[np.intp]) -> TrainingData:
    own = data.interactions.take(events)
    users, rows = np.unique(own.users, return_inverse=True)
    return replace(
        data,
        interactions=replace(
            own, users=rows.astype(np.int32), items=np.searchsorted(items, own.items).astype(np.int32)
        ),
        user_count=len(users),
        numbers=data.numbers[items],
        terms={name: _chosen(terms, items) for name, terms in data.terms.items()},
        user_numbers=data.user_numbers[users] if len(data.user_numbers) else data.user_numbers,
        users=_chosen(data.users, users) if len(data.users) else data.users,
        partitions=(),
    )


def _chosen(column: Any, rows: npt.NDArray[np.integer[Any]]) -> list[Any]:
    return [column[row] for row in rows.tolist()]
