"""The regression against its definition: every moment a row, solved densely."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import lapack
from tests.retrieve.sequence.sequence_sample import ITEMS, Event, events_of_users, moments, orders_of

from homefeed.retrieve.item_item.gram import Gram, gram_of
from homefeed.retrieve.sequence.orders import Orders
from homefeed.retrieve.sequence.regression import Decay, regression

Weights = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def fitted(orders: Orders, *, exact: bool, window: int = 50, items: int = ITEMS, penalty: float = 2.0) -> Weights:
    """(items, items) weights, of pairs that users share."""
    gram: Gram = gram_of(orders.matrix(items), 0.0, 100, 1)
    values = regression(
        gram,
        orders,
        Decay.of(window, 0.7, 1.2),
        user_exponent=0.5,
        penalty=penalty,
        exact_items=items if exact else 0,
        neighbours=100,
    )
    return gram.matrix(values).toarray().astype(np.float64)


@given(events=events_of_users, repeats=st.booleans(), window=st.sampled_from([1, 2, 50]))
def test_exact_weights_are_those_of_a_dense_regression(events: list[Event], repeats: bool, window: int) -> None:
    orders = orders_of(events, repeats=repeats)
    before, after = moments(orders, ITEMS, window, 0.7, 1.2, 0.5)
    expected = np.linalg.solve(before.T @ before + 2.0 * np.eye(ITEMS), before.T @ after)
    shared = (orders.matrix(ITEMS) > 0).toarray().astype(int)
    shared = (shared.T @ shared > 0) & (np.eye(ITEMS) == 0)
    np.testing.assert_allclose(fitted(orders, exact=True, window=window), expected * shared, atol=1e-5)


@given(events=events_of_users, window=st.sampled_from([1, 3, 50]))
def test_local_weights_are_those_of_a_regression_on_what_an_item_follows(events: list[Event], window: int) -> None:
    orders = orders_of(events)
    before, after = moments(orders, ITEMS, window, 0.7, 1.2, 0.5)
    together, followed = before.T @ before, before.T @ after
    shared = (orders.matrix(ITEMS) > 0).toarray().astype(int)
    together = together * (shared.T @ shared > 0)
    expected = np.zeros((ITEMS, ITEMS))
    for item in range(ITEMS):
        near = [other for other in range(ITEMS) if followed[other, item] > 0 and other != item]
        if near:
            within = together[np.ix_(near, near)] + 2.0 * np.eye(len(near))
            expected[near, item] = np.linalg.solve(within, followed[near, item])
    np.testing.assert_allclose(fitted(orders, exact=False, window=window), expected, atol=1e-5)


@pytest.mark.parametrize("exact", [True, False])
def test_what_comes_next_outweighs_what_came_before(exact: bool) -> None:
    orders = orders_of([(user, item, 1.0, float(item)) for user in range(4) for item in range(3)])
    weights = fitted(orders, exact=exact)
    assert weights[0, 1] > weights[0, 2] > 0
    assert weights[1, 2] > 0
    assert weights[1, 0] <= 1e-6
    assert weights[2, 0] <= 1e-6


def test_a_penalty_too_small_for_the_precision_is_raised_until_there_is_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[float] = []
    real = lapack.spotrf

    def failing_first(matrix: np.ndarray, **options: int) -> tuple[np.ndarray, int]:
        tried.append(float(matrix[0, 0]))
        factor, failed = real(matrix, **options)
        return factor, 1 if len(tried) == 1 else failed

    monkeypatch.setattr(lapack, "spotrf", failing_first)
    orders = orders_of([(user, item, 1.0, float(item)) for user in range(4) for item in range(ITEMS)])
    found = fitted(orders, exact=True, penalty=1.0)
    monkeypatch.undo()
    np.testing.assert_allclose(found, fitted(orders, exact=True, penalty=2.0), rtol=1e-5)
    assert tried[1] - tried[0] == pytest.approx(1.0)


def test_decay_of_two_places_by_hand() -> None:
    decay = Decay.of(3, 1.0, 0.0)
    # s = 1, 1/2, 1/3 and t = 1, 1, 1.
    np.testing.assert_allclose(decay.targets, [0, 1, 1.5, 11 / 6, 1 / 2 + 1 / 3, 1 / 3])
    np.testing.assert_allclose(decay.sources[0], [1, 1.25, 1.25 + 1 / 9])
    np.testing.assert_allclose(decay.sources[1, :2], [1 / 2, 1 / 2 + 1 / 6])
    np.testing.assert_allclose(decay.sources[2, 0], 1 / 3)
