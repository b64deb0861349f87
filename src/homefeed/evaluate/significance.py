"""Whether a difference between two systems may be chance: paired tests over users, adjusted for their number.

Both tests take per-user values of the same users in the same order and look at the differences. They are about
other users like these, as the intervals of `bootstrap` are. Smucker, Allan & Carterette, "A Comparison of
Statistical Significance Tests for Information Retrieval Evaluation", CIKM 2007, found the two to agree with each
other and with the bootstrap, and advise against the sign and the Wilcoxon test.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Final

import numpy as np
from scipy import stats

from homefeed.errors import InvalidError
from homefeed.evaluate.metrics import PerUser

_FLIPS_AT_ONCE: Final = 1 << 20


def randomization_test(
    system: PerUser, baseline: PerUser, rng: np.random.Generator, resamples: int = 10_000
) -> float:
    """Two-sided p-value of the mean difference: how often random signs make one as large (Smucker et al. 2007).

    If both systems were the same, either of a user's two values could as well be the other's, so the sign of each
    difference is drawn again, `resamples` times. p = (as large + 1) / (resamples + 1), because the labels as
    they are make one of the possible drawings (Phipson & Smyth, 2010): it is never 0.

    Raises:
        InvalidError: the values differ in length, are NaN or infinite or empty, or `resamples` is below 1.
    """
    if resamples < 1:
        raise InvalidError(f"resamples: expected 1 or more, got {resamples}")
    differences = _differences(system, baseline)
    # A zero has no sign, and where both systems found nothing there are many.
    differences = differences[differences != 0]
    if len(differences) == 0:
        return 1.0
    total = differences.sum()
    # Values that differ only by rounding count as equally large.
    reached = abs(total) - 1e-12 * np.abs(differences).sum()
    as_large, batch = 0, max(1, _FLIPS_AT_ONCE // len(differences))
    for done in range(0, resamples, batch):
        shape = (min(batch, resamples - done), len(differences))
        kept = np.unpackbits(rng.integers(256, size=(shape[0], -(-shape[1] // 8)), dtype=np.uint8), axis=1)
        sums = 2 * (kept[:, : shape[1]] @ differences) - total
        as_large += int(np.count_nonzero(np.abs(sums) >= reached))
    return (as_large + 1) / (resamples + 1)


def t_test(system: PerUser, baseline: PerUser) -> float:
    """Two-sided p-value of Student's paired t-test; 1 where the two are identical.

    Raises:
        InvalidError: the values differ in length or are NaN or infinite, or there are fewer than two users.
    """
    differences = _differences(system, baseline)
    if len(differences) < 2:
        raise InvalidError("system, baseline: expected values of at least two users, got one's")
    # Then t is 0, or undefined where nothing varies.
    if differences.mean() == 0:
        return 1.0
    with warnings.catch_warnings():
        # If all users have the same difference, the variance is rounding, and scipy warns of a p-value of 0.
        warnings.simplefilter("ignore", RuntimeWarning)
        return float(stats.ttest_rel(system, baseline).pvalue)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """The p-values adjusted for their number, in the order given (Holm, Scand. J. Statistics 6(2), 1979).

    The j-th smallest of m is multiplied by m - j + 1, then none is below that of a smaller one, nor above 1.
    Calling significant what is at most alpha, the chance of even one false finding among all is at most alpha.

    Raises:
        InvalidError: a p-value is not a number from 0 to 1.
    """
    for name, value in p_values.items():
        if not 0 <= value <= 1:
            raise InvalidError(f"{name}: expected a p-value from 0 to 1, got {value}")
    adjusted: dict[str, float] = {}
    highest = 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        highest = max(highest, min(1.0, p_values[name] * (len(p_values) - rank)))
        adjusted[name] = highest
    return {name: adjusted[name] for name in p_values}


def _differences(system: PerUser, baseline: PerUser) -> PerUser:
    if system.shape != baseline.shape:
        raise InvalidError(f"system, baseline: expected the same users, got {len(system)} and {len(baseline)}")
    if len(system) == 0:
        raise InvalidError("system, baseline: expected values of at least one user, got none")
    differences = np.asarray(system - baseline, dtype=np.float64)
    if not np.isfinite(differences).all():
        raise InvalidError("system, baseline: expected a finite number for every user, got NaN or infinity")
    return differences
