"""Models of an app whose users are kept apart: a partition's is fitted to its own items and events, no others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from homefeed.errors import RecipeError
from homefeed.protocols import JoinableModel, Model
from homefeed.types import Numbers, TrainingData


def fit_apart(name: str, numbers: Numbers, fitted: Iterable[tuple[str, Model]]) -> Model:
    """One model of the partitions' own, for the items of all permanent `numbers`.

    Raises:
        RecipeError: models of this kind cannot be joined.
    """
    parts: dict[str, JoinableModel] = {}
    for partition, model in fitted:
        if not isinstance(model, JoinableModel):
            raise RecipeError(
                f"models.{name}: the recipe's [isolation] keeps users apart, and {type(model).__name__} has no "
                "joined(), which makes one model of those of each partition; see docs/plugins.md"
            )
        parts[partition] = model
    joined: Model = type(next(iter(parts.values()))).joined(parts, numbers)
    return joined


def items_of_partitions(partitions: Sequence[str]) -> list[tuple[str, npt.NDArray[np.intp]]]:
    """Each partition's items, rising; of no items the one that has none. Items without a partition are of none."""
    names, codes = np.unique(np.array([*partitions], object), return_inverse=True)
    found = zip(names.tolist(), _rows_by_code(codes, len(names)), strict=True)
    return [(name, items) for name, items in found if name] or [("", np.empty(0, np.intp))]


def partitions_of(data: TrainingData) -> Iterator[tuple[str, TrainingData]]:
    """Each partition's items, events on them and users of those; see `items_of_partitions`."""
    every = items_of_partitions(data.partitions)
    codes = np.full(data.item_count, len(every))
    for code, (_, items) in enumerate(every):
        codes[items] = code
    events_of = _rows_by_code(codes[data.interactions.items], len(every) + 1)
    for (name, items), events in zip(every, events_of, strict=False):
        own = data.interactions.take(events)
        users, rows = np.unique(own.users, return_inverse=True)
        places = np.searchsorted(items, own.items).astype(np.int32)
        interactions = replace(own, users=rows.astype(np.int32), items=places)
        yield name, replace(of_partition(data, items, users), interactions=interactions)


def of_partition(
    data: TrainingData, items: npt.NDArray[np.intp], users: npt.NDArray[np.integer[Any]]
) -> TrainingData:
    """What is known of some items and users; the events stay as they are."""
    return replace(
        data,
        user_count=len(users),
        numbers=data.numbers[items],
        terms={name: _chosen(terms, items) for name, terms in data.terms.items()},
        user_numbers=data.user_numbers[users] if len(data.user_numbers) else data.user_numbers,
        users=_chosen(data.users, users) if len(data.users) else data.users,
        partitions=(),
    )


def _rows_by_code(codes: npt.NDArray[np.intp], count: int) -> list[npt.NDArray[np.intp]]:
    """The rows of each code, rising."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.searchsorted(codes[order], np.arange(1, count))) if count else []


def _chosen(column: Any, rows: npt.NDArray[np.integer[Any]]) -> list[Any]:
    return [column[row] for row in rows.tolist()]
