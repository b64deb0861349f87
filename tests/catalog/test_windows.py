"""Counts of the last hour, day and week, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.catalog.windows import WINDOWS, FadingCounts, counted
from homefeed.types import DAY

HOUR = DAY // 24
START = 20_000 * DAY


def told(*events: tuple[int, int]) -> FadingCounts:
    counts = FadingCounts()
    counts.grow(3)
    for item, time in events:
        counts.add(np.array([item], np.int32), np.array([time]), np.ones(1, np.bool_))
    return counts


def test_an_event_is_whole_at_its_time_and_fades_by_the_length_of_each_window() -> None:
    counts, items = told((1, START)), np.array([0, 1], np.int32)
    assert counts.at(items, START).tolist() == [[0, 0, 0], [1, 1, 1]]
    after_a_day = counts.at(items, START + DAY)[1]
    np.testing.assert_allclose(after_a_day, [math.exp(-24), math.exp(-1), math.exp(-1 / 7)])


def test_what_is_dated_later_than_now_counts_whole() -> None:
    assert told((1, START)).at(np.array([1], np.int32), START - DAY).tolist() == [[1, 1, 1]]


def test_what_happens_evenly_comes_to_as_much_as_in_a_window_of_that_length() -> None:
    """An event a minute, for 60 days: 60 in an hour, 1,440 in a day, 10,080 in a week."""
    times = START + np.arange(60 * 1_440) * (HOUR // 60)
    counts, latest = counted(np.zeros(len(times), np.int32), times, 1)
    assert latest.tolist() == [int(times[-1])]
    np.testing.assert_allclose(counts[0], [60, 1_440, 10_080], rtol=0.01)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20 * DAY)), max_size=30), st.randoms())
def test_the_order_in_which_events_are_told_does_not_matter(events: list[tuple[int, int]], rng: object) -> None:
    events = [(item, START + time) for item, time in events]
    mixed = sorted(events, key=lambda event: hash((event, id(rng))))
    items, now = np.arange(3, dtype=np.int32), START + 21 * DAY
    np.testing.assert_allclose(told(*mixed).at(items, now), told(*sorted(events)).at(items, now), rtol=1e-9)


def test_what_was_counted_before_goes_on() -> None:
    events = [(0, START), (1, START + HOUR), (0, START + 2 * HOUR), (0, START + DAY)]
    whole, rest = told(*events), FadingCounts()
    items, times = (np.array(column) for column in zip(*events[:2], strict=True))
    rest.grow(3)
    rest.restore(np.arange(3, dtype=np.int32), *counted(items.astype(np.int32), times, 3))
    for item, time in events[2:]:
        rest.add(np.array([item], np.int32), np.array([time]), np.ones(1, np.bool_))
    for now in (START + DAY, START + 9 * DAY):
        every = np.arange(3, dtype=np.int32)
        np.testing.assert_allclose(rest.at(every, now), whole.at(every, now))


def test_the_windows_are_an_hour_a_day_and_a_week() -> None:
    assert dict(WINDOWS) == {"1h": HOUR, "1d": DAY, "7d": 7 * DAY}
    assert told().at(np.zeros(0, np.int32), START).shape == (0, 3)


@pytest.mark.parametrize("counting", [True, False])
def test_only_what_counts_is_counted(counting: bool) -> None:
    counts = told()
    counts.add(np.array([2], np.int32), np.array([START]), np.array([counting]))
    assert counts.at(np.array([2], np.int32), START).tolist() == [[float(counting)] * 3]
