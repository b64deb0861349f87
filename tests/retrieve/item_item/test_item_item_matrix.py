"""Strengths of pairs, counted one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.retrieve.item_item.item_item_sample import data_of, matrix_of

from homefeed.retrieve.item_item.matrix import no_entries, strengths_of, sums

USERS, ITEMS = 3, 5

timed_events = st.lists(
    st.tuples(
        st.integers(0, USERS - 1),
        st.integers(0, ITEMS - 1),
        st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0, 3.0]),
        st.integers(0, 6),
    ),
    max_size=25,
)


def test_the_strongest_event_of_a_pair_counts_and_dislikes_do_not() -> None:
    events = [
        (0, 0, 0.5),
        (0, 0, 1.5),
        (0, 0, 1.0),
        (0, 1, -1.0),
        (1, 1, 0.0),
        (1, 2, 0.5),
        (2, 2, -0.5),
        (2, 2, 1),
    ]
    found = strengths_of(data_of(events, 3, 4), 9).toarray()
    # 1.5, 0.5 and 1 are 1 on average.
    assert found.tolist() == [[1.5, 0, 0, 0], [0, 0, 0.5, 0], [0, 0, 1, 0]]
    assert found.dtype == np.float32


def test_of_a_user_with_too_many_items_the_latest_count() -> None:
    events = [(0, item, 1.0) for item in (3, 0, 1, 2, 3)] + [(1, 0, 1.0), (1, 1, 1.0)]
    found = strengths_of(data_of(events, 2, 4, times=range(7)), 2).toarray()
    # User 0 played 3 again, and last.
    assert found.tolist() == [[0, 0, 1, 1], [1, 1, 0, 0]]


def test_an_item_disliked_last_is_as_late_as_its_last_play() -> None:
    events = [(0, 0, 1.0), (0, 1, 1.0), (0, 2, 1.0), (0, 0, -1.0)]
    assert strengths_of(data_of(events, 1, 3, times=range(4)), 2).toarray().tolist() == [[0, 1, 1]]


@given(events=timed_events, most=st.integers(2, 4))
def test_strengths_by_brute_force(events: list[tuple[int, int, float, int]], most: int) -> None:
    strongest: dict[tuple[int, int], float] = {}
    latest: dict[tuple[int, int], int] = {}
    for user, item, strength, time in events:
        if strength > 0:
            strongest[user, item] = max(strongest.get((user, item), 0), strength)
            latest[user, item] = max(latest.get((user, item), 0), time)
    expected = np.zeros((USERS, ITEMS))
    for user in range(USERS):
        newest = sorted((item for u, item in latest if u == user), key=lambda item: (-latest[user, item], item))
        for item in newest[:most]:
            expected[user, item] = strongest[user, item]
    if expected.any():
        expected /= expected[expected > 0].mean()
    plain = [(user, item, strength) for user, item, strength, _ in events]
    found = strengths_of(data_of(plain, USERS, ITEMS, times=[time for *_, time in events]), most)
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-6)
    assert found.has_sorted_indices


@given(events=timed_events, factor=st.sampled_from([2.0**-20, 0.1, 3.0, 2.0**20]))
def test_strengths_have_no_unit(events: list[tuple[int, int, float, int]], factor: float) -> None:
    once = strengths_of(data_of([event[:3] for event in events], USERS, ITEMS), 9)
    often = strengths_of(data_of([(u, i, factor * s) for u, i, s, _ in events], USERS, ITEMS), 9)
    np.testing.assert_allclose(often.toarray(), once.toarray(), rtol=1e-6)
    if np.log2(factor).is_integer():
        np.testing.assert_array_equal(often.toarray(), once.toarray())


def test_strengths_of_hardly_anything_are_a_thousandth() -> None:
    events = [(0, 0, 1e-40), (0, 1, 1e-40), (1, 1, 1.0), (1, 2, 1.0)]
    expected = np.array([[1e-3, 1e-3, 0], [0, 2, 2]])
    np.testing.assert_allclose(strengths_of(data_of(events, 2, 3), 9).toarray(), expected)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (3, 4)])
def test_nobody_did_anything(shape: tuple[int, int]) -> None:
    for matrix in (strengths_of(data_of([], *shape), 9), no_entries(*shape)):
        assert matrix.shape == shape
        assert matrix.nnz == 0
        assert matrix.dtype == np.float32


def test_sums_are_one_where_there_is_nothing() -> None:
    matrix = matrix_of(np.array([[1, 0, 2], [0, 0, 0.5]]))
    assert sums(matrix, axis=0).tolist() == [1, 1, 2.5]
    assert sums(matrix, axis=1).tolist() == [3, 0.5]
    assert sums(matrix, axis=1).dtype == np.float32
