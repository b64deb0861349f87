"""Events of a few users about a few items, as models are trained on them."""

from __future__ import annotations

import numpy as np

from homefeed.testing.world import NOW
from homefeed.types import Interactions, TrainingData

Events = list[tuple[int, int, float]]


def data_of(events: Events, users: int = 5, items: int = 6, seed: int = 0) -> TrainingData:
    """Events as (user, item, strength), a minute apart. The number of an item is 100 + its position."""
    rows, positions, strengths = zip(*events, strict=True) if events else ((), (), ())
    count = len(events)
    interactions = Interactions(
        np.array(rows, np.int32),
        np.array(positions, np.int32),
        np.zeros(count, np.int32),
        np.zeros(count, np.float32),
        np.array(strengths, np.float32),
        NOW + 60_000_000 * np.arange(count, dtype=np.int64),
    )
    return TrainingData(interactions, users, np.arange(100, 100 + items, dtype=np.int32), {}, NOW, seed)
