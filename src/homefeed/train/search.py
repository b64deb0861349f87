"""Search of a trainer's hyper-parameters within a budget of time, and when to trust its result."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from homefeed.evaluate.metrics import PerUser
from homefeed.protocols import Range

Values: TypeAlias = Mapping[str, float]
Judge: TypeAlias = Callable[[Values], PerUser]
"""From values of hyper-parameters to the quality for each validation user (users,): higher is better."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A number of seconds by a clock, or of trials, whichever is used up first. One trial is always made."""

    seconds: float
    clock: Callable[[], float]
    max_trials: int | None = None


@dataclass(frozen=True, slots=True)
class Searched:
    """The result of a search. `taken` is whether `best` is far enough ahead of the `start` to use it.

    `start_mean` and `best_mean` are over the validation users. `checked_mean` is of each half of them by the
    values that are best for the other half, `margin` the standard error of its difference from the start's.
    """

    best: Values
    taken: bool
    start_mean: float
    best_mean: float
    checked_mean: float
    margin: float
    trials: int
    seconds: float


def search(
    space: Mapping[str, Range],
    start: Values,
    judge: Judge,
    budget: Budget,
    seed: int,
    progress: Callable[[float, int], None] = lambda _seconds, _trials: None,
) -> Searched:
    """Try the values of the recipe, then each one moved, then what the tree-structured Parzen estimator proposes
    (Bergstra et al., "Algorithms for hyper-parameter optimization", NIPS 2011; by Optuna).

    No trial is begun that would outlast the budget if it took as long as the longest before. The best of many is
    partly luck: it is taken only where values that were chosen by one half of the users serve the other half
    better than those of the start, by more than a standard error, paired user by user. `progress` is called with
    (seconds used, trials made). The same seed and number of trials give the same answer.
    """
    began = budget.clock()
    with _quiet_optuna() as optuna:
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
        for first in _first_trials(space, start):
            study.enqueue_trial(first)
        distributions = {name: _distribution(optuna, within, start[name]) for name, within in space.items()}
        results: list[tuple[Values, PerUser]] = []
        longest = used = 0.0
        while not results or _allows(budget, used, longest, len(results)):
            trial = study.ask(distributions)
            results.append((dict(trial.params), judge(trial.params)))
            study.tell(trial, float(results[-1][1].mean()))
            longest, used = max(longest, budget.clock() - began - used), budget.clock() - began
            progress(used, len(results))
    return _conclusion(results, used)


def _first_trials(space: Mapping[str, Range], start: Values) -> Iterator[dict[str, float]]:
    """The start, then one value after another moved half way to its farther bound, in order."""
    own = {name: start[name] for name in space}
    yield own
    for name, within in space.items():
        yield own | {name: _moved(within, own[name])}


def _moved(within: Range, value: float) -> float:
    if within.log:
        bounds, here = np.log([within.low, within.high]), np.log(value)
    else:
        bounds, here = np.array([within.low, within.high]), np.float64(value)
    there = (here + bounds[np.abs(bounds - here).argmax()]) / 2
    moved = float(np.exp(there)) if within.log else float(there)
    return round(moved) if within.whole else moved


def _allows(budget: Budget, used: float, longest: float, trials: int) -> bool:
    return used + longest <= budget.seconds and (budget.max_trials is None or trials < budget.max_trials)


def _conclusion(results: list[tuple[Values, PerUser]], seconds: float) -> Searched:
    start = results[0][1]
    values, best = max(results, key=lambda result: float(result[1].mean()))
    difference = _cross_checked([quality for _, quality in results]) - start
    margin = float(difference.std(ddof=1) / np.sqrt(len(difference))) if len(difference) > 1 else 0.0
    checked = float(start.mean() + difference.mean())
    taken = bool(difference.mean() > margin) and len(difference) > 1
    return Searched(values, taken, float(start.mean()), float(best.mean()), checked, margin, len(results), seconds)


def _cross_checked(qualities: Sequence[PerUser]) -> PerUser:
    """(users,) the quality for each half of the users in the trial that is best for the other half."""
    checked, is_even = qualities[0].copy(), np.arange(len(qualities[0])) % 2 == 0
    for judging in (is_even, ~is_even):
        if judging.any() and not judging.all():
            best = max(qualities, key=lambda quality: float(quality[~judging].mean()))
            checked[judging] = best[judging]
    return checked


def _distribution(optuna: Any, within: Range, start: float) -> Any:
    # A recipe's own value may lie outside the range that is usually worth trying.
    low, high = min(within.low, start), max(within.high, start)
    kind = optuna.distributions.IntDistribution if within.whole else optuna.distributions.FloatDistribution
    whole = int if within.whole else float
    return kind(whole(low), whole(high), log=within.log)


@contextmanager
def _quiet_optuna() -> Iterator[Any]:
    """Optuna without a log line per trial; imported late because the import is slow."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield optuna
    finally:
        optuna.logging.set_verbosity(before)
