"""Paired tests: by hand, against scipy, and false alarms as often as they should be; Holm's method by hand."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from homefeed.errors import InvalidError
from homefeed.evaluate.metrics import PerUser
from homefeed.evaluate.significance import holm, randomization_test, t_test


def _rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def _pair(users: int, effect: float, seed: int) -> tuple[PerUser, PerUser]:
    rng = _rng(seed)
    ease = rng.random(users)
    return ease + effect + rng.normal(0, 0.1, users), ease


def test_three_users_by_hand() -> None:
    # Of the eight ways to sign three differences of 1, two are as large: +++ and ---.
    p = randomization_test(np.ones(3), np.zeros(3), _rng(), resamples=20_000)
    assert p == pytest.approx(2 / 8, abs=0.015)


def test_no_p_value_is_zero() -> None:
    assert randomization_test(np.ones(50), np.zeros(50), _rng(), resamples=99) == 1 / 100


@pytest.mark.parametrize("unit", [0.1, 1 / 3, 0.7])
def test_rounding_does_not_make_a_tie_less_extreme(unit: float) -> None:
    differences = np.array([1.0] * 7 + [-1.0] * 2)
    whole = randomization_test(differences, np.zeros(9), _rng(), resamples=2_000)
    # As large: at most two of the nine signed otherwise than the rest, that is 2 (1 + 9 + 36) of 512.
    assert whole == pytest.approx(2 * 46 / 512, abs=0.03)
    assert randomization_test(unit * differences, np.zeros(9), _rng(), resamples=2_000) == whole


def test_it_is_what_all_signs_together_say() -> None:
    differences = _rng(3).normal(0.4, 1, 11)
    signs = np.array(list(itertools.product((1, -1), repeat=11)))
    exact = np.mean(np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12)
    found = randomization_test(differences, np.zeros(11), _rng(4), resamples=20_000)
    assert 0.01 < exact < 0.9
    assert found == pytest.approx(exact, abs=0.02)


def test_it_agrees_with_scipy_and_with_the_t_test() -> None:
    system, baseline = _pair(80, 0.02, 5)
    theirs = stats.permutation_test(
        (system - baseline,), np.mean, permutation_type="samples", n_resamples=5_000, vectorized=True, rng=_rng(6)
    )
    ours = randomization_test(system, baseline, _rng(7))
    assert 0.01 < ours < 0.5
    assert ours == pytest.approx(theirs.pvalue, abs=0.03)
    assert ours == pytest.approx(t_test(system, baseline), abs=0.03)


def test_the_t_test_by_hand() -> None:
    # Differences 1, 2, 3: the mean 2, the deviation 1, t = 2 sqrt(3), whose two tails with 2 degrees of freedom
    # hold 1 - t / sqrt(t^2 + 2).
    t = 2 * np.sqrt(3)
    assert t_test(np.array([2.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0])) == pytest.approx(1 - t / np.sqrt(t**2 + 2))


def test_identical_systems_do_not_differ() -> None:
    values = _rng(1).random(30)
    assert t_test(values, values.copy()) == 1.0
    assert randomization_test(values, values.copy(), _rng()) == 1.0


@pytest.mark.parametrize("size", [1e-200, 5e-324])
def test_differences_below_what_a_variance_can_hold_are_no_crash(size: float) -> None:
    assert t_test(np.array([size, 0.0, -size]), np.zeros(3)) == 1.0
    assert 0 <= t_test(np.array([size, 0.0, 0.0]), np.zeros(3)) <= 1


def test_a_difference_all_users_share_is_no_chance() -> None:
    values = _rng(1).random(30)
    assert t_test(np.ones(2), np.zeros(2)) == 0
    assert t_test(values + 0.1, values) < 1e-20
    assert randomization_test(values + 0.1, values, _rng(), resamples=999) == 1 / 1_000


def test_the_same_seed_gives_the_same_p_value() -> None:
    system, baseline = _pair(40, 0.02, 1)
    found = [randomization_test(system, baseline, _rng(seed), resamples=500) for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


def test_false_alarms_are_as_rare_as_they_should_be() -> None:
    alarms = {"randomization": 0, "t": 0}
    for seed in range(400):
        system, baseline = _pair(25, 0, seed)
        alarms["randomization"] += randomization_test(system, baseline, _rng(seed), resamples=300) <= 0.05
        alarms["t"] += t_test(system, baseline) <= 0.05
    # 5 % of 400 is 20; the standard deviation of a count so drawn is 4.4.
    assert all(7 <= count <= 33 for count in alarms.values()), alarms


def test_thirty_thousand_users_take_little_memory() -> None:
    system, baseline = _pair(30_000, 0.001, 1)
    tracemalloc.start()
    found = randomization_test(system, baseline, _rng(), resamples=500)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40e6
    assert found == pytest.approx(t_test(system, baseline), abs=0.06)


def test_resamples_are_counted_to_the_last_though_they_come_in_batches() -> None:
    # More users than flips at once make each resample a batch of its own.
    users = (1 << 20) + 1
    assert randomization_test(np.ones(users), np.zeros(users), _rng(), resamples=3) == 1 / 4


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=30), st.integers(0, 99))
def test_p_values_are_shares_and_blind_to_which_is_which(pairs: list[tuple[float, float]], seed: int) -> None:
    system, baseline = (np.array(column) for column in zip(*pairs, strict=True))
    p = randomization_test(system, baseline, _rng(seed), resamples=200)
    assert 0 < p <= 1
    assert p == randomization_test(baseline, system, _rng(seed), resamples=200)
    assert 0 <= t_test(system, baseline) <= 1
    assert t_test(system, baseline) == pytest.approx(t_test(baseline, system))


@pytest.mark.parametrize(
    ("system", "baseline", "named"),
    [
        (np.ones(3), np.ones(2), "expected the same users, got 3 and 2"),
        (np.ones(0), np.ones(0), "at least one user"),
        (np.array([1.0, np.nan]), np.ones(2), "finite"),
        (np.array([1.0, np.inf]), np.ones(2), "finite"),
    ],
)
def test_what_cannot_be_tested_is_refused(system: PerUser, baseline: PerUser, named: str) -> None:
    with pytest.raises(InvalidError, match=named):
        randomization_test(system, baseline, _rng())
    with pytest.raises(InvalidError, match=named):
        t_test(system, baseline)


def test_too_few_resamples_or_users_are_refused() -> None:
    with pytest.raises(InvalidError, match="resamples"):
        randomization_test(np.ones(2), np.zeros(2), _rng(), resamples=0)
    with pytest.raises(InvalidError, match="two users"):
        t_test(np.ones(1), np.zeros(1))


def test_holm_by_hand() -> None:
    # Sorted: 0.005 * 4, 0.01 * 3, 0.03 * 2, 0.04 * 1, which may not be below the one before.
    found = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert list(found) == ["a", "b", "c", "d"]
    assert found == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})


def test_holm_of_none_and_of_one() -> None:
    assert holm({}) == {}
    assert holm({"a": 0.2}) == {"a": 0.2}


@given(st.lists(st.floats(0, 1), max_size=12))
def test_adjusted_p_values_keep_their_order_between_the_raw_and_bonferronis(values: list[float]) -> None:
    raw = {str(name): value for name, value in enumerate(values)}
    found = holm(raw)
    for name, value in raw.items():
        assert value <= found[name] <= min(1, value * len(raw))
    ordered = sorted(raw, key=lambda name: raw[name])
    assert [found[name] for name in ordered] == sorted(found.values())


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.sampled_from([0.01, 0.05, 0.2]))
def test_holm_calls_significant_what_stepping_down_does(values: list[float], alpha: float) -> None:
    ordered = sorted(values)
    rejected = list(itertools.takewhile(lambda at: ordered[at] * (len(values) - at) <= alpha, range(len(values))))
    found = holm({str(name): value for name, value in enumerate(values)})
    assert sum(value <= alpha for value in found.values()) == len(rejected)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")])
def test_what_is_no_p_value_is_refused(value: float) -> None:
    with pytest.raises(InvalidError, match="b: expected a p-value from 0 to 1"):
        holm({"a": 0.5, "b": value})
