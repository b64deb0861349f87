"""What a user's history weighs at the time of a request, for retrievers that start from it."""

from __future__ import annotations

import numpy as np

from homefeed.types import DAY, Floats, Positions, Query


def taste_of(query: Query, events: int, half_life_days: float) -> tuple[Positions, Floats]:
    """Items and weights (m,) to start from: the anchor of a similar feed, else the user's latest events.

    A weight is the event's strength, halved for every half-life between it and the user's latest event.
    Events of no strength are left out.
    """
    if query.anchor is not None:
        return np.array([query.anchor], np.int32), np.ones(1, np.float32)
    history = query.user.history.latest(events)
    if not len(history):
        return history.items, history.strengths
    age = (history.times[-1] - history.times) / (half_life_days * DAY)
    weights = (history.strengths * np.exp2(-np.maximum(age, 0))).astype(np.float32)
    matters = weights != 0
    return history.items[matters], weights[matters]
