"""Sequences small enough for every moment of every user to be written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from homefeed.retrieve.sequence.orders import Orders
from homefeed.testing.world import NOW
from homefeed.types import DAY, Interactions, TrainingData

Event: TypeAlias = tuple[int, int, float, float]
"""User, item, strength and days since the first event."""
Dense: TypeAlias = npt.NDArray[np.float64]

ITEMS = 5

events_of_users = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, ITEMS - 1),
        st.sampled_from([0.5, 1.0, 2.0]),
        st.integers(0, 12).map(float),
    ),
    max_size=24,
)


def interactions_of(events: Sequence[Event]) -> Interactions:
    """In the order of time; of one moment in the order given."""
    ordered = sorted(events, key=lambda event: event[3])
    return Interactions(
        np.array([event[0] for event in ordered], np.int32),
        np.array([event[1] for event in ordered], np.int32),
        np.zeros(len(ordered), np.int32),
        np.full(len(ordered), np.nan, np.float32),
        np.array([event[2] for event in ordered], np.float32),
        np.array([NOW + int(event[3] * DAY) for event in ordered], np.int64),
    )


def data_of(events: Sequence[Event], *, users: int = 4, items: int = ITEMS, **more: Any) -> TrainingData:
    """What a trainer gets."""
    known: dict[str, Any] = {"terms": {}, "now": NOW + 100 * DAY} | more
    return TrainingData(interactions_of(events), users, np.arange(items, dtype=np.int32), **known)


def orders_of(events: Sequence[Event], users: int = 4, **settings: Any) -> Orders:
    """With nothing left out, unless told."""
    chosen: dict[str, Any] = {
        "max_items_per_user": 500,
        "repeats": False,
        "days_per_place": None,
        "window": 50,
        **settings,
    }
    return Orders.of(interactions_of(events), users, **chosen)


def moments(
    orders: Orders, items: int, window: int, place_exponent: float, target_exponent: float, user_exponent: float
) -> tuple[Dense, Dense]:
    """S and T (moments, items) of the docstring of `regression`, row by row."""
    before, after = [], []
    for start, stop in zip(orders.starts[:-1].tolist(), orders.starts[1:].tolist(), strict=True):
        places, weight = orders.places[start:stop], max(stop - start, 1) ** (-user_exponent / 2)
        for moment in range(int(places[-1]) if stop > start else 0):
            source, target = np.zeros(items), np.zeros(items)
            for event in range(start, stop):
                back = moment - int(orders.places[event]) + 1
                gain = float(orders.strengths[event]) * weight
                if 1 <= back <= window:
                    source[orders.items[event]] += gain * back**-place_exponent
                if 1 <= 1 - back <= window:
                    target[orders.items[event]] += gain * (1 - back) ** -target_exponent
            before.append(source)
            after.append(target)
    return np.array(before).reshape(-1, items), np.array(after).reshape(-1, items)
