"""Events to split, and what a split found, in plain Python."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from homefeed.evaluate.split import Split
from homefeed.types import Interactions

Row = tuple[int, int, int]  # user, item, time
Found = dict[int, tuple[list[int], list[int], int]]  # user to rows of the history, targets, and time


def interactions_of(rows: Sequence[Row]) -> Interactions:
    users, items, times = (np.array(column) for column in zip(*rows, strict=True))
    return Interactions(
        users.astype(np.int32),
        items.astype(np.int32),
        np.zeros(len(rows), np.int32),
        np.arange(len(rows), dtype=np.float32),
        np.ones(len(rows), np.float32),
        times.astype(np.int64),
    )


def found_by(split: Split) -> Found:
    return {case.user: (case.history.tolist(), case.targets.tolist(), case.time) for case in split.cases}


def trained_rows(split: Split) -> list[int]:
    """The rows trained on: the sample's values are its row numbers."""
    return [int(row) for row in split.train.values]


def many_events() -> Interactions:
    rng = np.random.default_rng(7)
    times = np.sort(rng.integers(0, 10_000, 2_000)).tolist()
    users, items = rng.integers(0, 60, 2_000).tolist(), rng.integers(0, 300, 2_000).tolist()
    return interactions_of(list(zip(users, items, times, strict=True)))


# Ten events before T = 100 (users 0, 1 and 5), ten from then on: cutoff_share 0.5.
BY_HAND: list[Row] = [
    (0, 10, 1), (0, 11, 2), (0, 12, 3), (1, 10, 4), (1, 13, 5),
    (5, 10, 6), (5, 11, 7), (5, 12, 8), (5, 13, 9), (5, 14, 10),
    (0, 20, 100),  # revealed: the first two of user 0's four
    (2, 30, 101),  # revealed: user 2 has no past, so one of two
    (0, 21, 102),  # revealed
    (1, 13, 103),  # user 1's only event since T: half of one, rounded down, reveals none; a repeat
    (0, 11, 104),  # a repeat from before T
    (2, 31, 105),
    (3, 30, 106),  # user 3: one event ever, no history
    (0, 22, 107),
    (4, 40, 108),  # revealed
    (4, 40, 109),  # a repeat of a revealed item
]  # fmt: skip

many_rows = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 8), st.integers(0, 25)), min_size=1, max_size=60
).map(lambda rows: sorted(rows, key=lambda row: row[2]))
shares = st.sampled_from([0.0, 0.1, 0.5, 0.75, 0.99])
