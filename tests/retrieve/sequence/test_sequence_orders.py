"""The order in which users came to items."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.retrieve.sequence.sequence_sample import Event, events_of_users, orders_of


def test_events_stand_user_by_user_and_those_of_a_moment_share_a_place() -> None:
    orders = orders_of(
        [(1, 3, 1.0, 5.0), (0, 2, 1.0, 1.0), (1, 4, 1.0, 5.0), (0, 0, 1.0, 3.0), (1, 0, 1.0, 9.0)], 3
    )
    assert orders.starts.tolist() == [0, 2, 5, 5]
    assert orders.items.tolist() == [2, 0, 3, 4, 0]
    assert orders.places.tolist() == [0, 1, 0, 0, 1]
    assert orders.users.tolist() == [0, 0, 1, 1, 1]


def test_what_was_done_again_counts_once_at_its_first_time_as_strongly_as_ever() -> None:
    events: list[Event] = [(0, 1, 0.5, 0.0), (0, 2, 1.0, 1.0), (0, 1, 1.5, 2.0), (0, 2, 0.5, 3.0)]
    once, again = orders_of(events, 1), orders_of(events, 1, repeats=True)
    assert (once.items.tolist(), once.places.tolist()) == ([1, 2], [0, 1])
    np.testing.assert_allclose(once.strengths, np.array([1.5, 1.0]) / 1.25)
    assert (again.items.tolist(), again.places.tolist()) == ([1, 2, 1, 2], [0, 1, 2, 3])
    np.testing.assert_allclose(again.strengths, np.array([0.5, 1.0, 1.5, 0.5]) / 0.875)
    assert again.matrix(3).toarray().tolist() == [[0, np.float32(1.5 / 0.875), np.float32(1 / 0.875)]]


def test_dislikes_are_left_out() -> None:
    assert orders_of([(0, 1, -1.0, 0.0), (0, 2, 1.0, 1.0), (0, 3, 0.0, 2.0)], 1).items.tolist() == [2]


def test_of_many_events_the_latest_count() -> None:
    orders = orders_of([(0, item, 1.0, float(item)) for item in range(5)], 1, max_items_per_user=2)
    assert (orders.items.tolist(), orders.places.tolist()) == ([3, 4], [0, 1])


@pytest.mark.parametrize(
    ("days_per_place", "places"), [(None, [0, 1, 2, 3]), (2.0, [0, 1, 4, 8]), (30.0, [0, 1, 2, 3])]
)
def test_gaps_count_as_places_up_to_a_window(days_per_place: float | None, places: list[int]) -> None:
    events: list[Event] = [(0, 0, 1.0, 0.0), (0, 1, 1.0, 1.0), (0, 2, 1.0, 5.0), (0, 3, 1.0, 25.0)]
    orders = orders_of(events, 1, days_per_place=days_per_place, window=3)
    assert orders.places.tolist() == places


def test_the_first_event_of_a_user_is_no_gap_after_another_users() -> None:
    events: list[Event] = [(0, 0, 1.0, 0.0), (1, 1, 1.0, 20.0), (1, 2, 1.0, 21.0)]
    assert orders_of(events, 2, days_per_place=1.0).places.tolist() == [0, 0, 2]


def test_nothing_makes_no_orders() -> None:
    orders = orders_of([], 2)
    assert (len(orders), orders.starts.tolist()) == (0, [0, 0, 0])
    assert orders.matrix(3).toarray().tolist() == [[0, 0, 0], [0, 0, 0]]
    assert orders.latest(np.array([1]), 3, np.ones(2, np.float32)).toarray().tolist() == [[0, 0, 0]]


@given(events=events_of_users, window=st.integers(1, 4))
def test_the_latest_weigh_by_their_place_back(events: list[Event], window: int) -> None:
    orders, decay = orders_of(events), np.array([1.0, 0.5, 0.25, 0.125], np.float32)[:window]
    found = orders.latest(np.array([0, 2]), 5, decay).toarray()
    for row, user in enumerate((0, 2)):
        expected = np.zeros(5)
        for event in range(orders.starts[user], orders.starts[user + 1]):
            back = int(orders.places[orders.starts[user + 1] - 1] - orders.places[event])
            expected[orders.items[event]] += float(orders.strengths[event]) * (decay[back] if back < window else 0)
        np.testing.assert_allclose(found[row], expected, rtol=1e-6)
