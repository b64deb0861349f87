"""Intervals: against theory, against scipy, and what holds for any values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from homefeed.errors import InvalidError
from homefeed.evaluate.bootstrap import Interval, by_user, mean_intervals, paired_differences, standard_error
from homefeed.evaluate.metrics import PerUser


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def _interval(values: PerUser, seed: int = 0) -> Interval:
    return mean_intervals({"m": values}, _rng(seed))["m"]


def test_the_same_seed_gives_the_same_interval() -> None:
    values = _rng(1).random(50)
    assert _interval(values) == _interval(values)
    assert _interval(values) != _interval(values, seed=1)


def test_two_users_by_hand() -> None:
    # Resamples of (0, 1) have mean 0 or 1 in a quarter of cases each.
    assert _interval(np.array([0.0, 1.0])) == Interval(0.5, 0.0, 1.0)


def test_equal_users_leave_no_doubt() -> None:
    assert _interval(np.full(20, 0.25)) == Interval(0.25, 0.25, 0.25)


def test_one_resample_is_enough_and_is_the_whole_interval() -> None:
    found = mean_intervals({"m": np.array([0.0, 1.0, 3.0])}, _rng(), resamples=1)["m"]
    assert found.low <= found.mean <= found.high
    assert 0.0 in {found.low - found.mean, found.high - found.mean}


@pytest.mark.parametrize("users", [23, 29, 30, 31])
def test_rounding_does_not_push_the_mean_out_of_its_interval(users: int) -> None:
    found = mean_intervals({"m": np.full(users, 1 / 3)}, _rng(), resamples=50)["m"]
    assert found.low <= found.mean <= found.high


def test_it_is_as_wide_as_the_normal_approximation_says() -> None:
    values = _rng(1).normal(size=2_000)
    found = _interval(values)
    half = 1.96 * values.std() / math.sqrt(len(values))
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)


def test_it_agrees_with_scipy() -> None:
    values = _rng(1).beta(0.3, 2.0, size=200)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=4_000, method="percentile", rng=_rng(2))
    ours = mean_intervals({"m": values}, _rng(3), resamples=4_000)["m"]
    width = ours.high - ours.low
    assert ours.low == pytest.approx(theirs.confidence_interval.low, abs=0.05 * width)
    assert ours.high == pytest.approx(theirs.confidence_interval.high, abs=0.05 * width)


def test_it_covers_the_truth_as_often_as_it_says() -> None:
    rng = _rng(5)
    covered = 0
    for _ in range(200):
        found = mean_intervals({"m": rng.normal(size=60)}, rng, resamples=300)["m"]
        covered += found.low <= 0 <= found.high
    # 95 % of 200 is 190; the standard deviation of a count so drawn is 3, and small samples cover a little less.
    assert 178 <= covered <= 199


def test_columns_share_their_resamples() -> None:
    values = _rng(1).random(80)
    found = mean_intervals({"one": values, "same": values, "double": 2 * values}, _rng())
    assert found["one"] == found["same"]
    assert found["double"] == pytest.approx(tuple(2 * part for part in found["one"]))
    assert list(found) == ["one", "same", "double"]


def test_pairing_cancels_what_is_common_to_both() -> None:
    ease = _rng(1).random(300)
    system, baseline = ease + 0.01, ease
    found = paired_differences({"m": system}, {"m": baseline}, _rng())["m"]
    assert found.mean == pytest.approx(0.01)
    assert found.high - found.low < 1e-12
    assert found.excludes_zero
    assert _interval(system).low < _interval(baseline).high


def test_the_difference_has_a_sign() -> None:
    better, worse = {"m": np.array([1.0, 0.5, 1.0])}, {"m": np.array([0.0, 0.25, 0.0])}
    assert paired_differences(better, worse, _rng())["m"].low > 0
    assert paired_differences(worse, better, _rng())["m"].high < 0
    assert not paired_differences(worse, worse, _rng())["m"].excludes_zero


def test_no_metrics_have_no_intervals() -> None:
    assert mean_intervals({}, _rng()) == {}


def test_what_has_no_interval_is_refused() -> None:
    one = {"m": np.ones(3)}
    with pytest.raises(InvalidError, match="at least one user"):
        mean_intervals({"m": np.empty(0)}, _rng())
    with pytest.raises(InvalidError, match="NaN"):
        mean_intervals({"m": np.array([1.0, np.nan])}, _rng())
    with pytest.raises(InvalidError, match="equal length"):
        mean_intervals({"m": np.ones(3), "o": np.ones(2)}, _rng())
    with pytest.raises(InvalidError, match="resamples"):
        mean_intervals(one, _rng(), resamples=0)
    with pytest.raises(InvalidError, match="confidence"):
        mean_intervals(one, _rng(), confidence=95)
    with pytest.raises(InvalidError, match="same users"):
        paired_differences(one, {"m": np.ones(2)}, _rng())
    with pytest.raises(InvalidError, match="only one of the two with o"):
        paired_differences(one, {"m": np.ones(3), "o": np.ones(3)}, _rng())


some_values = st.lists(st.floats(0, 1), min_size=1, max_size=40).map(np.array)


@settings(max_examples=40)
@given(some_values, st.integers(0, 100))
def test_the_interval_contains_the_mean_and_lies_within_the_values(values: PerUser, seed: int) -> None:
    found = mean_intervals({"m": values}, _rng(seed), resamples=200)["m"]
    assert found.low <= found.mean <= found.high
    assert values.min() - 1e-12 <= found.low
    assert found.high <= values.max() + 1e-12


@settings(max_examples=25)
@given(st.lists(st.floats(0, 1), min_size=5, max_size=20).filter(lambda values: np.std(values) > 0.05))
def test_sixteen_times_the_users_make_it_about_a_quarter_as_wide(values: list[float]) -> None:
    few = _interval(np.array(values))
    many = _interval(np.tile(values, 16))
    assert 0.15 < (many.high - many.low) / (few.high - few.low) < 0.4


@settings(max_examples=25)
@given(some_values, st.integers(0, 100))
def test_a_difference_turned_around_is_its_negative(values: PerUser, seed: int) -> None:
    other = values[::-1]
    forth = paired_differences({"m": values}, {"m": other}, _rng(seed), resamples=199)["m"]
    back = paired_differences({"m": other}, {"m": values}, _rng(seed), resamples=199)["m"]
    assert back == pytest.approx((-forth.mean, -forth.high, -forth.low), abs=1e-12)


def test_a_thousand_resamples_and_nineteen_of_twenty_unless_told() -> None:
    values, others = {"m": _rng(1).random(50)}, {"m": _rng(2).random(50)}
    assert mean_intervals(values, _rng(3)) == mean_intervals(values, _rng(3), 1_000, 0.95)
    assert paired_differences(values, others, _rng(3)) == paired_differences(values, others, _rng(3), 1_000, 0.95)


def test_the_requests_of_a_user_are_drawn_together() -> None:
    # User 7 made three requests, user 9 one. Resamples have mean 1, 0, or with one of each (3 * 1 + 0) / 4.
    values, users = np.array([1.0, 0.0, 1.0, 1.0]), np.array([7, 9, 7, 7], np.int32)
    found = mean_intervals({"m": values}, _rng(), users=users)["m"]
    assert found == Interval(0.75, 0.0, 1.0)
    narrow = mean_intervals({"m": values}, _rng(), confidence=0.4, users=users)["m"]
    assert narrow == Interval(0.75, 0.75, 0.75), "as half of the resamples have"


def test_sums_and_requests_of_each_user_by_hand() -> None:
    values = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0], [8.0, 80.0]])
    sums, requests = by_user(values, np.array([5, 3, 5, 5], np.int32))
    assert sums.tolist() == [[2, 20], [13, 130]]
    assert requests.tolist() == [1, 3]
    alone = by_user(values, None)
    assert alone[0].tolist() == values.tolist()
    assert alone[1].tolist() == [1, 1, 1, 1]


def test_one_request_each_is_as_without_users() -> None:
    values = _rng(3).random(40)
    users = np.arange(40, dtype=np.int32)
    found = mean_intervals({"m": values}, _rng(), users=users)["m"]
    assert tuple(found) == pytest.approx(tuple(_interval(values)))


def test_requests_that_are_alike_by_user_leave_more_doubt() -> None:
    # 50 users of 20 requests each, all of a user alike: as 50 requests, not as 1,000.
    of_user = _rng(4).random(50)
    values, users = np.repeat(of_user, 20), np.repeat(np.arange(50, dtype=np.int32), 20)
    clustered = mean_intervals({"m": values}, _rng(), users=users)["m"]
    independent, few = _interval(values), _interval(of_user)
    assert clustered.mean == pytest.approx(independent.mean)
    width, narrow, wide = (one.high - one.low for one in (clustered, independent, few))
    assert width == pytest.approx(wide, rel=0.01)
    assert width == pytest.approx(narrow * math.sqrt(20), rel=0.15)


def test_differences_are_resampled_by_user_too() -> None:
    system, baseline = (np.repeat(_rng(seed).random(30), 10) for seed in (5, 6))
    users = np.repeat(np.arange(30, dtype=np.int32), 10)
    found = paired_differences({"m": system}, {"m": baseline}, _rng(), users=users)["m"]
    alone = paired_differences({"m": system[::10]}, {"m": baseline[::10]}, _rng())["m"]
    assert tuple(found) == pytest.approx(tuple(alone))


def test_the_error_of_a_mean_counts_users_not_requests() -> None:
    alone = np.array([1.0, 3, 5, 7])
    # Each of a user of their own: sqrt(20 / 3 / 4).
    assert standard_error(alone, np.arange(4, dtype=np.int32)) == pytest.approx(np.sqrt(20 / 3 / 4))
    # Asked twice and answered the same, they are no more witnesses than before.
    twice, users = np.repeat(alone, 2), np.repeat(np.arange(4, dtype=np.int32), 2)
    assert standard_error(twice, users) == pytest.approx(np.sqrt(20 / 3 / 4))
    # Users 0 and 1 with sums 4 and 12 over 2 requests each, of a mean of 4: residuals -4 and 4, sqrt(32 * 2) / 4.
    assert standard_error(alone, np.array([0, 0, 1, 1], np.int32)) == pytest.approx(2.0)
    assert standard_error(alone, np.zeros(4, np.int32)) == np.inf
