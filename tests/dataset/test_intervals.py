"""Intervals of rates: by hand, against Wilson's, and among simulated users who differ."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, t

from homefeed.dataset.intervals import clustered_interval, with_intervals


def interval(shown: list[int], followed: list[int]) -> tuple[float, float]:
    """Of the sums over these clusters."""
    s, y = np.array(shown, np.float64), np.array(followed, np.float64)
    sums = (s.sum(), y.sum(), (s * s).sum(), (s * y).sum(), (y * y).sum(), len(s))
    low, high = clustered_interval(*(np.array([each], np.float64) for each in sums))
    return low.item(), high.item()


def test_the_variance_is_that_of_a_ratio_of_sums_over_users() -> None:
    # R = 4 / 10, residuals 2 - 1.6, 2 - 1.6 and 0 - 0.8, so V = 3 / 2 x 0.96 / 100 and n* = 0.24 / V = 16.67,
    # more than the 10 that were shown.
    assert interval([4, 4, 2], [2, 2, 0]) == pytest.approx(_wilson(0.4, 10, 2))
    # Residuals 4 - 2, 0 - 2 and 1 - 1: V = 3 / 2 x 8 / 100 and n* = 0.25 / V.
    assert interval([4, 4, 2], [4, 0, 1]) == pytest.approx(_wilson(0.5, 0.25 / 0.12, 2))


def _wilson(rate: float, n: float, freedom: int) -> tuple[float, float]:
    z = t.ppf(0.975, freedom)
    middle, half = rate + z**2 / (2 * n), z * np.sqrt(rate * (1 - rate) / n + z**2 / (4 * n**2))
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)


def test_where_each_user_sees_one_item_it_is_the_interval_of_wilson() -> None:
    wilson = binomtest(300, 3_000).proportion_ci(method="wilson")
    assert interval([1] * 3_000, [1] * 300 + [0] * 2_700) == pytest.approx((wilson.low, wilson.high), abs=1e-4)


def test_of_nothing_or_everything_each_user_counts_once() -> None:
    assert interval([50] * 20, [0] * 20) == pytest.approx(_wilson(0, 20, 19))
    low, high = interval([50] * 20, [50] * 20)
    assert (low, high) == pytest.approx((1 - _wilson(0, 20, 19)[1], 1))


def test_one_user_tells_nothing_of_others() -> None:
    clusters = pl.DataFrame({"feed": ["a", "b", "b"], "shown": [9, 2, 2], "clicked": [3, 1, 0]})
    found = {row["feed"]: row for row in with_intervals(clusters, ["feed"], ["clicked"]).to_dicts()}
    assert (found["a"]["low_clicked"], found["a"]["high_clicked"]) == (None, None)
    assert (found["b"]["low_clicked"], found["b"]["high_clicked"]) == pytest.approx(interval([2, 2], [1, 0]))


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=2, max_size=20))
def test_a_rate_lies_within_its_interval(clusters: list[tuple[int, int]]) -> None:
    shown, followed = [s for s, _ in clusters], [min(s, y) for s, y in clusters]
    low, high = interval(shown, followed)
    assert 0 <= low <= sum(followed) / sum(shown) <= high <= 1


def test_among_users_who_differ_it_holds_the_true_rate_as_often_as_it_says() -> None:
    random, users, times = np.random.default_rng(1), 60, 2_000
    shown = random.integers(5, 60, (times, users)).astype(np.float64)
    followed = random.binomial(shown.astype(np.int64), random.beta(0.5, 4.5, (times, users))).astype(np.float64)
    products = shown, followed, shown**2, shown * followed, followed**2
    sums = [*(each.sum(axis=1) for each in products), np.full(times, float(users))]
    low, high = clustered_interval(*sums)
    assert 0.93 <= np.mean((low <= 0.1) & (high >= 0.1)) <= 0.97
    total, rate = shown.sum(axis=1), followed.sum(axis=1) / shown.sum(axis=1)
    naive = 1.96 * np.sqrt(rate * (1 - rate) / total)
    assert np.mean(np.abs(rate - 0.1) <= naive) < 0.7
