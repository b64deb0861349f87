"""Where one basket ends and the next begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.retrieve.association.association_sample import basket_data, events_data

from homefeed.retrieve.association.baskets import baskets_of
from homefeed.types import TrainingData


def listed(data: TrainingData, gap: float = 30, most: int = 100) -> list[list[int]]:
    """The items of every basket, by number."""
    baskets = baskets_of(data, gap, most).held
    assert (baskets.data == 1).all()
    assert baskets.shape == (len(baskets.indptr) - 1, data.item_count)
    return [baskets.indices[a:b].tolist() for a, b in zip(baskets.indptr[:-1], baskets.indptr[1:], strict=True)]


def test_a_basket_ends_where_more_than_the_gap_lies_before_the_next_event() -> None:
    at = [(0, 0, 0.0), (0, 1, 30.0), (0, 2, 60.0), (0, 3, 90.001), (0, 4, 91.0)]
    assert listed(events_data(at, 5)) == [[0, 1, 2], [3, 4]]
    assert listed(events_data(at, 5), gap=30.1) == [[0, 1, 2, 3, 4]]
    assert listed(events_data(at, 5), gap=29) == [[3, 4]]


def test_users_share_no_basket_and_baskets_of_one_item_are_none() -> None:
    at = [(0, 0, 0), (1, 1, 0), (0, 2, 1), (1, 1, 1), (2, 3, 0)]
    assert listed(events_data(at, 4)) == [[0, 2]]
    assert listed(events_data([], 4)) == []
    assert listed(basket_data([[2], [1, 1], [3, 0]], 4)) == [[0, 3]]


def test_an_item_is_in_a_basket_once_and_of_many_items_the_latest_count() -> None:
    at = [(0, 0, 0), (0, 1, 1), (0, 2, 2), (0, 0, 3), (1, 4, 0), (1, 3, 1)]
    data = events_data(at, 5)
    assert listed(data) == [[0, 1, 2], [3, 4]]
    assert listed(data, most=2) == [[0, 2], [3, 4]]


def test_dislikes_and_events_that_say_nothing_are_not_looked_at() -> None:
    data = events_data([(0, 0, 0), (0, 1, 1), (0, 2, 2), (0, 3, 3)], 4)
    strengths = np.array([1, -1, 0, 0.25], np.float32)
    assert listed(replace(data, interactions=replace(data.interactions, strengths=strengths))) == [[0, 3]]


events = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 200)), max_size=25)


@given(events=events, gap=st.sampled_from([1, 10, 30.5]), most=st.integers(2, 4))
def test_baskets_by_brute_force(events: list[tuple[int, int, int]], gap: float, most: int) -> None:
    data = events_data(events, 5)
    expected = []
    for user in range(3):
        own = sorted((event for event in events if event[0] == user), key=lambda event: event[2])
        basket: list[int] = []
        for (_, item, minute), after in zip(own, [*(event[2] for event in own), 10_000][1:], strict=True):
            basket = [*(other for other in basket if other != item), item]
            if after - minute > gap:
                if len(basket) > 1:
                    expected.append(sorted(basket[-most:]))
                basket = []
    assert listed(data, gap, most) == expected


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    data = events_data([(0, 0, 0), (1, 2, 1), (0, 1, 2), (1, 3, 3)], 4)
    assert listed(replace(data, interactions=data.interactions.take(np.array(order)))) == [[0, 1], [2, 3]]
