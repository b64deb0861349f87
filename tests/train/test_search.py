"""Searching hyper-parameters: the budget, the evidence required, the same answer every time."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from homefeed.evaluate.metrics import PerUser
from homefeed.protocols import Range
from homefeed.train.search import Budget, search

SPACE = {"x": Range(-5, 5), "size": Range(1, 1_000, log=True), "count": Range(1, 9, whole=True)}
START = {"x": -4.0, "size": 1.0, "count": 1.0}
RNG = np.random.default_rng(3)
HARDER = RNG.normal(size=200)
"""What makes some users harder to serve than others, whatever the values."""


def valley(values: Mapping[str, float]) -> PerUser:
    """Best at x = 2, size = 100; `count` is of no consequence."""
    return HARDER + 1 - (values["x"] - 2) ** 2 - float(np.log10(values["size"]) - 2) ** 2


class Clock:
    """A clock that each trial advances by the next of the given seconds."""

    def __init__(self, *seconds: float) -> None:
        self.now, self.seconds = 100.0, list(seconds)

    def __call__(self) -> float:
        return self.now

    def work(self, _values: Mapping[str, float]) -> PerUser:
        self.now += self.seconds.pop(0)
        return HARDER


def trials(count: int) -> Budget:
    return Budget(1e9, Clock(), count)


def test_it_finds_what_is_better_than_the_recipe() -> None:
    found = search(SPACE, START, valley, trials(60), seed=0)
    assert found.taken
    assert found.trials == 60
    assert found.start_mean == pytest.approx(valley(START).mean())
    assert found.best_mean == pytest.approx(valley(found.best).mean())
    assert found.best["x"] == pytest.approx(2, abs=1)
    assert 10 < found.best["size"] < 1_000


def test_the_first_trial_is_the_recipe_as_it_is() -> None:
    tried: list[Mapping[str, float]] = []

    def remember(values: Mapping[str, float]) -> PerUser:
        tried.append(dict(values))
        return HARDER

    found = search(SPACE, START, remember, trials(1), seed=0)
    assert tried == [START]
    assert not found.taken
    assert found.best == START


def test_then_each_value_is_moved_by_itself_half_of_the_way_to_its_farther_bound() -> None:
    tried: list[Mapping[str, float]] = []

    def remember(values: Mapping[str, float]) -> PerUser:
        tried.append(dict(values))
        return HARDER

    search(SPACE, START, remember, trials(4), seed=0)
    assert tried[1] == START | {"x": 0.5}
    assert tried[2] == pytest.approx(START | {"size": np.sqrt(1_000)})
    assert tried[3] == START | {"count": 5}


def test_values_stay_within_what_is_worth_trying() -> None:
    tried: list[Mapping[str, float]] = []

    def remember(values: Mapping[str, float]) -> PerUser:
        tried.append(dict(values))
        return HARDER

    search(SPACE, START, remember, trials(40), seed=1)
    for values in tried:
        assert -5 <= values["x"] <= 5
        assert 1 <= values["size"] <= 1_000
        assert values["count"] == int(values["count"])
        assert 1 <= values["count"] <= 9


def test_a_recipe_may_start_outside_of_it() -> None:
    found = search({"x": Range(-5, 5)}, {"x": 40.0}, lambda values: HARDER - values["x"] ** 2, trials(30), seed=0)
    assert found.start_mean == pytest.approx(HARDER.mean() - 1_600)
    assert found.taken


def test_the_same_seed_gives_the_same_answer() -> None:
    one, other = (search(SPACE, START, valley, trials(15), seed=5) for _ in range(2))
    assert one == other
    assert search(SPACE, START, valley, trials(15), seed=6).best != one.best


def test_no_trial_is_begun_that_would_outlast_the_budget() -> None:
    clock = Clock(10, 30, 10, 10, 10, 10)
    found = search(SPACE, START, clock.work, Budget(100, clock), seed=0)
    # After 10 + 30 + 10 + 10 + 10 = 70 seconds, one of 30 still fits; after 80 it does not.
    assert found.trials == 6
    assert found.seconds == 80


def test_one_trial_is_made_however_little_time_there_is() -> None:
    clock = Clock(50)
    assert search(SPACE, START, clock.work, Budget(1, clock), seed=0).trials == 1


def test_progress_tells_the_seconds_and_trials() -> None:
    clock, steps = Clock(10, 20, 10), list[tuple[float, int]]()
    search(SPACE, START, clock.work, Budget(60, clock, 3), 0, lambda seconds, done: steps.append((seconds, done)))
    assert steps == [(10, 1), (30, 2), (40, 3)]


def test_what_is_no_more_than_chance_is_not_taken() -> None:
    def noise(values: Mapping[str, float]) -> PerUser:
        return np.random.default_rng(int(abs(values["x"]) * 1e6)).normal(size=50)

    def slightly_ahead(values: Mapping[str, float]) -> PerUser:
        # One user of fifty is served better and another nearly as much worse.
        moved = float(values["x"] != START["x"])
        return np.where(np.arange(50) == 0, 1.2, np.where(np.arange(50) == 1, -1.0, 0.0)) * moved

    assert not search(SPACE, START, slightly_ahead, trials(10), seed=0).taken
    found = search(SPACE, START, noise, trials(2), seed=0)
    assert found.taken == (found.checked_mean - found.start_mean > found.margin)


def test_each_half_of_the_users_is_judged_by_what_is_best_for_the_other() -> None:
    even = np.arange(40) % 2 == 0

    def divided(values: Mapping[str, float]) -> PerUser:
        # What serves one half better serves the other worse: the mean of both rises, and means nothing.
        return HARDER[:40] + values["x"] * np.where(even, 1.5, -1.0)

    found = search({"x": Range(-5, 5)}, {"x": 0.0}, divided, trials(20), seed=0)
    assert found.best_mean > found.start_mean
    assert found.checked_mean < found.start_mean
    assert not found.taken


def test_what_serves_both_halves_is_worth_as_much_to_each() -> None:
    found = search(SPACE, START, valley, trials(20), seed=0)
    assert found.taken
    assert found.start_mean < found.checked_mean == pytest.approx(found.best_mean)


def test_a_single_user_proves_nothing() -> None:
    assert not search(SPACE, START, lambda values: np.array([values["x"]]), trials(10), seed=0).taken
