"""Intervals of rates over users who saw many items each: it is users who are drawn by chance, not showings.

What one user does with twenty items is no twenty independent answers: an interval that takes it for such, like
that of Wilson over all showings, is far too narrow. So the variance is that of a ratio of sums over users.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import stdtrit

CONFIDENCE: Final = 0.95
"""How often an interval is to hold the rate that would be found among very many users."""

Interval: TypeAlias = tuple[float, float]
_Doubles: TypeAlias = npt.NDArray[np.float64]


def clustered_interval(
    shown: _Doubles,
    followed: _Doubles,
    shown_squared: _Doubles,
    shown_followed: _Doubles,
    followed_squared: _Doubles,
    clusters: _Doubles,
) -> tuple[_Doubles, _Doubles]:
    """(n,) the lower and the upper bounds of the rates `followed / shown`; NaN with fewer than two clusters.

    All of (n,): sums over the m clusters of how many items each was shown, s, how many of these were followed, y,
    and of s^2, s x y and y^2. With R = sum y / sum s the variance of R by the delta method is

        V = m / (m - 1) x sum (y - R s)^2 / (sum s)^2

    (the ratio estimator: Cochran, "Sampling Techniques", 3rd ed. 1977, chapter 6; for such rates Deng, Knoblich &
    Lu, "Applying the Delta Method in Metric Analytics", KDD 2018). The interval is Wilson's for the effective
    number of showings n* = R (1 - R) / V, at most as many as were shown, with Student's t of m - 1 degrees of
    freedom in the place of the normal quantile (Korn & Graubard, "Confidence intervals for proportions with small
    expected number of positive counts estimated from survey data", Survey Methodology 24, 1998; the modified
    Wilson interval of Franco, Little, Louis & Slud, "Comparative study of confidence intervals for proportions in
    complex sample surveys", JSSAM 7, 2019). Unlike R +- t sqrt(V) it stays within 0 and 1. Where nothing, or
    everything, was followed V says nothing, and n* is m: each cluster counts once.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = followed / shown
        residuals = followed_squared - 2 * rate * shown_followed + rate**2 * shown_squared
        variance = clusters / (clusters - 1) * np.maximum(residuals, 0) / shown**2
        between = (rate > 0) & (rate < 1)
        effective = np.where(between, np.minimum(rate * (1 - rate) / variance, shown), clusters)
        quantile = stdtrit(clusters - 1, (1 + CONFIDENCE) / 2)
        squared = quantile**2 / effective
        middle = (rate + squared / 2) / (1 + squared)
        half = np.sqrt(squared * (rate * (1 - rate) + squared / 4)) / (1 + squared)
        known = clusters >= 2
        low = np.where(known, np.clip(middle - half, 0, rate), np.nan)
        high = np.where(known, np.clip(middle + half, rate, 1), np.nan)
    return low, high


def with_intervals(clusters: pl.DataFrame, by: Sequence[str], counts: Sequence[str]) -> pl.DataFrame:
    """A row for each group: its key `by`, and `low_X` and `high_X` of each of `counts` X over `shown`.

    `clusters` has a row for each group and cluster, with `shown` and all of `counts`. Null where there is none.
    """
    shown = pl.col("shown").cast(pl.Float64)
    moments = {"shown": shown.sum(), "shown_squared": (shown * shown).sum(), "clusters": pl.len().cast(pl.Float64)}
    for name in counts:
        count = pl.col(name).cast(pl.Float64)
        moments |= {f"y_{name}": count.sum(), f"sy_{name}": (shown * count).sum(), f"yy_{name}": (count**2).sum()}
    sums = clusters.group_by(by).agg(**moments)
    column = {name: sums[name].to_numpy() for name in moments}
    bounds: dict[str, _Doubles] = {}
    for name in counts:
        bounds[f"low_{name}"], bounds[f"high_{name}"] = clustered_interval(
            column["shown"],
            column[f"y_{name}"],
            column["shown_squared"],
            column[f"sy_{name}"],
            column[f"yy_{name}"],
            column["clusters"],
        )
    return pl.concat([sums.select(by), pl.DataFrame(bounds).fill_nan(None)], how="horizontal")
