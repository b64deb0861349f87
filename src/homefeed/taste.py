"""What a user's history weighs at the time of a request, for parts that start from it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Final, NamedTuple

import numpy as np

from homefeed.catalog import Resources
from homefeed.kernels import F32, F64, I32, I64, compiled, kernel, reads, several, writes
from homefeed.types import DAY, Codes, Floats, History, Positions, Query, Times

CHOSE: Final = "chose"
"""What a user did to an item where nothing else is known."""

_NO_DISCOUNTS: Final = np.empty(0, np.float32)


def weighted_seeds(
    query: Query, events: int, half_life_days: float, place_exponent: float = 0.0
) -> tuple[Positions, Floats]:
    """Distinct items and weights (m,) to start from: the anchor of a similar feed, else the user's latest events.

    An event weighs as `decayed` says; an item as much as its weightiest event, the later of equals, so that a
    title watched over and over does not drown all others. A dislike is the last word on an item unless an event
    after it weighs as much for the item: until then no event speaks for it, however weighty. So someone who
    liked and then hid an item gets no more like it; nor by a glance at it later, but by liking it again.
    Items of no weight are left out. With a `place_exponent` p the latest moment counts in full and the n-th from
    the end by n^-p: what a user did lately tells more, however long ago that was. Events of one moment, such as
    the products of a basket, have no order.
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
    discounts = _discounts(events, place_exponent) if place_exponent else _NO_DISCOUNTS
    return _weighted(history.items, history.strengths, history.times, query.now, half_life_days * DAY, discounts)


def decayed(history: History, now: int, half_life_days: float) -> Floats:
    """(n,) each event's strength, halved for every half-life between it and the user's latest event."""
    if not len(history):
        return history.strengths
    # An event with a time to come must not age all others away.
    latest = min(int(history.times[-1]), now)
    age = (latest - history.times) / (half_life_days * DAY)
    return (history.strengths * np.exp2(-np.maximum(age, 0))).astype(np.float32)


class Deed(NamedTuple):
    """What a user did to an item, and how many times; those that count against the item are left out."""

    verb: str
    times: int


def deeds_of(history: History, items: Positions, resources: Resources) -> Sequence[Deed]:
    """What a user did to each item, by the strongest of their events of it, the latest of equals."""
    given = history.items, history.types, history.strengths, items, len(resources.verbs)
    types, times = _strongest_types(*given)
    return [
        Deed(CHOSE if code < 0 else resources.verb(code), count)
        for code, count in zip(types.tolist(), times.tolist(), strict=True)
    ]


@lru_cache(16)
def _discounts(events: int, place_exponent: float) -> Floats:
    """(events,) what an event counts by the place of its moment from the end of the history, the latest first."""
    discounts = np.arange(1, events + 1, dtype=np.float32) ** np.float32(-place_exponent)
    discounts.flags.writeable = False
    return discounts


@kernel(
    several(writes(I32), writes(F32)),
    *(reads(I32), reads(F32), reads(I64), I64, F64, reads(F32)),
)
def _weighted(
    items: Positions, strengths: Floats, times: Times, now: int, half_life: float, discounts: Floats
) -> tuple[Positions, Floats]:
    """Distinct items, rising, and the weight of each, as of `weighted_seeds`; `half_life` in microseconds."""
    count = len(items)
    # An event with a time to come must not age all others away.
    latest = min(times[-1], now)
    weights = np.empty(count, np.float32)
    place = 0
    for row in range(count - 1, -1, -1):
        weights[row] = strengths[row] * np.exp2(-max((latest - times[row]) / half_life, 0.0))
        if len(discounts):
            place += row < count - 1 and times[row] != times[row + 1]
            weights[row] *= discounts[place]
    order = np.argsort(items, kind="mergesort")
    distinct, found = np.empty(count, np.int32), np.empty(count, np.float32)
    kept = first = 0
    while first < count:
        last = first
        while last < count and items[order[last]] == items[order[first]]:
            last += 1
        weight = _weight_of(weights[order[first:last]])
        if weight != 0:
            distinct[kept], found[kept] = items[order[first]], weight
            kept += 1
        first = last
    return distinct[:kept], found[:kept]


@compiled
def _weight_of(weights: Floats) -> np.float32:
    """That of an item by those of its events: the weightiest, but 0 for all a dislike takes back."""
    disliked = -1
    regained = np.float32(0)
    for row in range(len(weights)):
        if weights[row] < 0:
            disliked, regained = row, np.float32(0)
        else:
            regained = max(regained, weights[row])
    taken_back = disliked >= 0 and regained < -weights[disliked]
    heaviest = np.float32(0)
    for weight in weights:
        if abs(weight) >= abs(heaviest) and not (taken_back and weight > 0):
            heaviest = weight
    return np.float32(heaviest)


@kernel(several(writes(I32), writes(I32)), *(reads(I32), reads(I32), reads(F32), reads(I32), I64))
def _strongest_types(
    items: Positions, types: Codes, strengths: Floats, wanted: Positions, type_count: int
) -> tuple[Codes, Codes]:
    """(n,) the type of the strongest event of each wanted item, the latest of equals; how often it speaks for it.

    Where there is none of a known type it is -1, and events of all types count.
    """
    found, times = np.full(len(wanted), -1, np.int32), np.zeros(len(wanted), np.int32)
    for place in range(len(wanted)):
        strongest = np.float32(-np.inf)
        for row in range(len(items)):
            if items[row] == wanted[place] and 0 <= types[row] < type_count and strengths[row] >= strongest:
                found[place], strongest = types[row], strengths[row]
        for row in range(len(items)):
            if items[row] == wanted[place] and strengths[row] > 0:
                times[place] += found[place] < 0 or found[place] == types[row]
    return found, times
