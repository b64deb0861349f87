"""What a user's history weighs at the time of a request, for retrievers that start from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from homefeed.types import DAY, Floats, Positions, Query, UserState

T = TypeVar("T")


class OncePerRequest(Generic[T]):
    """Computes something of a query once: a retriever is asked twice, to propose and for reasons."""

    def __init__(self, compute: Callable[[Query], T]) -> None:
        self._compute = compute
        self._latest: tuple[UserState, int, int | None, T] | None = None

    def __call__(self, query: Query) -> T:
        """What `compute` says of the query's user, moment and anchor."""
        latest = self._latest
        if latest is None or latest[0] is not query.user or latest[1:3] != (query.now, query.anchor):
            latest = self._latest = query.user, query.now, query.anchor, self._compute(query)
        return latest[3]


def taste_of(query: Query, events: int, half_life_days: float) -> tuple[Positions, Floats]:
    """Distinct items and weights (m,) to start from: the anchor of a similar feed, else the user's latest events.

    An event weighs its strength, halved for every half-life between it and the user's latest event; an item
    as much as its weightiest event, so that a title watched over and over does not drown all others.
    Items of no weight are left out.
    """
    if query.anchor is not None:
        return np.array([query.anchor], np.int32), np.ones(1, np.float32)
    history = query.user.history.latest(events)
    if not len(history):
        return history.items, history.strengths
    # An event told with a time to come must not age all others away.
    latest = min(int(history.times[-1]), query.now)
    age = (latest - history.times) / (half_life_days * DAY)
    weights = (history.strengths * np.exp2(-np.maximum(age, 0))).astype(np.float32)
    order = np.lexsort((-np.abs(weights), history.items))
    items, first = np.unique(history.items[order], return_index=True)
    weights = weights[order][first]
    return items[weights != 0], weights[weights != 0]
