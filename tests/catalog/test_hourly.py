"""Hourly counts: sums by hand, the share of the first hour, what is put together, what is forgotten."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.catalog.hourly import HOUR, MAX_HOURS, HourlyCounts

START = 490_000
"""Whole hours since 1970."""


def added(*events: tuple[int, float, float]) -> HourlyCounts:
    """Counts of events (position, hours after `START`, strength)."""
    counts = HourlyCounts()
    for position, hours, strength in events:
        counts.add(
            np.array([position], np.int32),
            np.array([strength], np.float32),
            np.array([START * HOUR + int(hours * HOUR)], np.int64),
        )
    return counts


def test_hours_are_whole_but_the_first() -> None:
    counts = added((0, 0.1, 4), (0, 1.5, 2), (1, 2.2, 1), (0, 2.3, -1))
    now = START * HOUR + int(2.5 * HOUR)
    # Two hours back is 0.5: half of the first hour is within.
    assert counts.since(now, 2, 3).tolist() == pytest.approx([2 + 2 - 1, 1, 0])
    assert counts.since(now, 1, 3).tolist() == pytest.approx([0.5 * 2 - 1, 1, 0])
    assert counts.since(now, 24, 2).tolist() == pytest.approx([5, 1])


def test_what_is_to_come_does_not_count_yet_and_a_newer_item_has_no_room() -> None:
    counts = added((0, 0.5, 1), (0, 5, 7), (9, 0.5, 3))
    assert counts.since(START * HOUR + HOUR - 1, 1, 2).tolist() == pytest.approx([1, 0], abs=1e-6)


def test_a_week_is_kept() -> None:
    counts = added((0, 0, 1), (0, MAX_HOURS + 1, 2), (1, 2, 3))
    now = START * HOUR + (MAX_HOURS + 1) * HOUR + HOUR // 2
    assert counts.since(now, 1_000, 2).tolist() == [2, 3]
    assert len(counts) == 2


def test_restored_it_goes_on() -> None:
    counts = added((0, 0, 9))
    counts.restore(np.array([1, 2], np.int32), np.array([START, START + 1], np.int64), np.array([1.5, 2.5]))
    counts.add(np.array([2], np.int32), np.array([1.0], np.float32), np.array([START * HOUR + HOUR], np.int64))
    assert counts.since(START * HOUR + 2 * HOUR, 24, 3).tolist() == [0, 1.5, 3.5]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(-5, 10)), max_size=40))
def test_it_is_the_sum_of_the_events(events: list[tuple[int, int, int]]) -> None:
    counts = added(*((position, float(hour), float(strength)) for position, hour, strength in events))
    expected = np.zeros(4)
    for position, hour, strength in events:
        expected[position] += strength if 17 <= hour <= 40 else 0
    assert counts.since((START + 41) * HOUR - 1, 24, 4).tolist() == pytest.approx(expected.tolist(), abs=1e-6)
