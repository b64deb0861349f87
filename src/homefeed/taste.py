"""What a user's history weighs at the time of a request, for parts that start from it."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from homefeed.catalog import Resources
from homefeed.types import DAY, Floats, History, Positions, Query

CHOSE: Final = "chose"
"""What a user did to an item where nobody knows better."""


def weighted_seeds(
    query: Query, events: int, half_life_days: float, place_exponent: float = 0.0
) -> tuple[Positions, Floats]:
    """Distinct items and weights (m,) to start from: the anchor of a similar feed, else the user's latest events.

    An event weighs as `decayed` says; an item as much as its weightiest event, the later of equals, so that a
    title watched over and over does not drown all others. A dislike is the last word on an item unless an event
    after it weighs as much for the item: until then no event speaks for it, however weighty. So someone who
    liked and then hid an item gets no more like it; nor by a glance at it later, but by liking it again.
    Items of no weight are left out. With a `place_exponent` p the latest event counts in full and the n-th from
    the end by n^-p: what a user did lately tells more, however long ago that was.
    """
    given = (events, half_life_days, place_exponent)
    return query.scope.once(None, "history.seeds", partial(_weighted_seeds, query, *given), *given)


def _weighted_seeds(
    query: Query, events: int, half_life_days: float, place_exponent: float
) -> tuple[Positions, Floats]:
    if query.anchor is not None:
        return np.array([query.anchor], np.int32), np.ones(1, np.float32)
    history = query.user.history.latest(events)
    if not len(history):
        return history.items, history.strengths
    weights = decayed(history, query.now, half_life_days)
    if place_exponent:
        weights = weights * np.arange(len(weights), 0, -1, dtype=np.float32) ** np.float32(-place_exponent)
    if (weights < 0).any():
        weights = _without_taken_back(history.items, weights)
    earlier = np.arange(len(weights), 0, -1)
    order = np.lexsort((earlier, -np.abs(weights), history.items))
    items, first = np.unique(history.items[order], return_index=True)
    weights = weights[order][first]
    return items[weights != 0], weights[weights != 0]


def decayed(history: History, now: int, half_life_days: float) -> Floats:
    """(n,) each event's strength, halved for every half-life between it and the user's latest event."""
    if not len(history):
        return history.strengths
    # An event told with a time to come must not age all others away.
    latest = min(int(history.times[-1]), now)
    age = (latest - history.times) / (half_life_days * DAY)
    return (history.strengths * np.exp2(-np.maximum(age, 0))).astype(np.float32)


def verb_of(query: Query, item: int, resources: Resources) -> str:
    """What the query's user did to an item, by the strongest of their events of it, the latest of equals."""
    history = query.user.history
    rows = np.flatnonzero((history.items == item) & (history.types >= 0) & (history.types < len(resources.verbs)))
    if query.anchor is not None or not len(rows):
        return CHOSE
    strengths = history.strengths[rows]
    strongest = rows[strengths == strengths.max()][-1]
    return resources.verb(int(history.types[strongest]))


def _without_taken_back(items: Positions, weights: Floats) -> Floats:
    """The weights (n,) with 0 for all that spoke for an item before, or too weakly after, a dislike of it."""
    distinct, which = np.unique(items, return_inverse=True)
    rows, against = np.arange(len(items)), weights < 0
    disliked = np.full(len(distinct), -1)
    np.maximum.at(disliked, which[against], rows[against])
    since = rows > disliked[which]
    regained = np.zeros(len(distinct), np.float32)
    np.maximum.at(regained, which[since], weights[since])
    taken_back = (disliked >= 0) & (regained < -weights[disliked])
    return np.where(taken_back[which] & (weights > 0), np.float32(0), weights)
