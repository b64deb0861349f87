"""Uncertainty of a mean over requests: percentile bootstrap (Efron & Tibshirani 1993, ch. 13), users resampled.

Where a user made several requests they are drawn together, for they are no independent witnesses (Davison &
Hinkley, "Bootstrap Methods and their Application", 1997, ch. 3.8).

The intervals are about other users like these, at the same time: not other weeks, seeds or data sets. With a
handful of users they are too narrow. Each is valid by itself: among twenty differences, one is expected to exclude
zero by chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from homefeed.errors import InvalidError
from homefeed.evaluate.metrics import PerUser
from homefeed.types import Codes


class Interval(NamedTuple):
    """A mean over users and the bounds of its interval."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether all of the interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


def mean_intervals(
    per_user: Mapping[str, PerUser],
    rng: np.random.Generator,
    resamples: int = 1_000,
    confidence: float = 0.95,
    users: Codes | None = None,
) -> dict[str, Interval]:
    """The mean of each column of values (requests,) and its interval, all from the same resamples of users.

    `users` (requests,) says whose each request is; by default each is of a user of their own.

    Raises:
        InvalidError: there are no users, the columns differ in length or have NaN, or a number is out of range.
    """
    if resamples < 1:
        raise InvalidError(f"resamples: expected 1 or more, got {resamples}")
    if not 0 < confidence < 1:
        raise InvalidError(f"confidence: expected a share above 0 and below 1, got {confidence}")
    if not per_user:
        return {}
    values = _columns(per_user)
    tail = (1 - confidence) / 2
    means = values.mean(axis=0)
    lows, highs = np.quantile(_resampled_means(values, users, rng, resamples), (tail, 1 - tail), axis=0)
    # The bounds enclose the mean except for rounding, as where all users have the same value.
    lows, highs = np.minimum(lows, means), np.maximum(highs, means)
    return {
        name: Interval(float(mean), float(low), float(high))
        for name, mean, low, high in zip(per_user, means, lows, highs, strict=True)
    }


def paired_differences(
    system: Mapping[str, PerUser],
    baseline: Mapping[str, PerUser],
    rng: np.random.Generator,
    resamples: int = 1_000,
    confidence: float = 0.95,
    users: Codes | None = None,
) -> dict[str, Interval]:
    """The difference of the system's mean from the baseline's, metric by metric, with its interval.

    Both have values (requests,) of the same requests in the same order, which are of the `users`. A resample takes
    two values of a request together, so the effect of users who are easy for any system cancels out.

    Raises:
        InvalidError: the two have other metrics or other numbers of users; or as `mean_intervals` does.
    """
    if system.keys() != baseline.keys():
        odd = ", ".join(sorted(system.keys() ^ baseline.keys()))
        raise InvalidError(f"system, baseline: expected the same metrics, got only one of the two with {odd}")
    for name, values in baseline.items():
        if values.shape != system[name].shape:
            raise InvalidError(f"{name}: expected the same users, got {len(system[name])} and {len(values)}")
    differences = {name: system[name] - values for name, values in baseline.items()}
    return mean_intervals(differences, rng, resamples, confidence, users)


def _columns(per_user: Mapping[str, PerUser]) -> PerUser:
    lengths = {len(values) for values in per_user.values()}
    if len(lengths) > 1:
        raise InvalidError(f"per_user: expected columns of equal length, got lengths {sorted(lengths)}")
    if lengths == {0}:
        raise InvalidError("per_user: expected values of at least one user, got none")
    values = np.column_stack(list(per_user.values()))
    if np.isnan(values).any():
        raise InvalidError("per_user: expected a number for every user, got NaN")
    return values


def _resampled_means(values: PerUser, users: Codes | None, rng: np.random.Generator, resamples: int) -> PerUser:
    """Means (resamples, columns). One resample at a time, as counts of each user, to keep memory small."""
    sums, requests = by_user(values, users)
    means, count = np.empty((resamples, values.shape[1])), len(sums)
    for resample in range(resamples):
        drawn = np.bincount(rng.integers(count, size=count), minlength=count)
        means[resample] = drawn @ sums / (drawn @ requests)
    return means


def standard_error(values: PerUser, users: Codes) -> float:
    """That of the mean of values (requests,), those of a user taken together; infinite for fewer than two users.

    The mean is a ratio, of the users' sums to their requests: Cochran, "Sampling Techniques", 1977, eq. 6.13.
    """
    sums, requests = by_user(values[:, None], users)
    if len(sums) < 2:
        return float("inf")
    residuals = sums[:, 0] - values.mean() * requests
    return float(np.sqrt((residuals**2).sum() / (len(sums) - 1) * len(sums)) / requests.sum())


def by_user(values: PerUser, users: Codes | None) -> tuple[PerUser, PerUser]:
    """The sums (users, columns) of each user's values (requests, columns), and the number of their requests."""
    if users is None:
        return values, np.ones(len(values))
    _, row = np.unique(users, return_inverse=True)
    requests = np.bincount(row)
    sums = np.column_stack([np.bincount(row, column) for column in values.T])
    return sums.astype(np.float64), requests.astype(np.float64)
