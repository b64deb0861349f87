"""Histories of users of the toy world, for the retrievers that start from one."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from homefeed.testing.world import ITEMS, NOW
from homefeed.types import DAY, History


def history_of(events: list[tuple[int, float, float]]) -> History:
    """Events as (position, strength, days ago), sorted here."""
    events = sorted(events, key=lambda event: -event[2])
    items, strengths, days = zip(*events, strict=True) if events else ((), (), ())
    return History(
        np.array(items, np.int32),
        np.zeros(len(events), np.int32),
        np.zeros(len(events), np.float32),
        np.array(strengths, np.float32),
        np.array([NOW - int(day * DAY) for day in days], np.int64),
    )


histories = st.builds(
    history_of,
    st.lists(
        st.tuples(
            st.integers(0, len(ITEMS) - 1),
            st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]),
            st.floats(0, 500, allow_subnormal=False, width=32),
        ),
        max_size=10,
    ),
)
