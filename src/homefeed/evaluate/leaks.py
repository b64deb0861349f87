"""Leaks that a clean split cannot show: attributes that contain the future, and systems that read it.

How much an attribute contains of the items' counts after the cutoff is a matter of degree. Given the past, a
valid one may predict part of the future: quality that counts do not show yet, a year in which new items rise. As
long as items' rates are constant, even the rate itself correlates with the future, given the past, by no more than
sqrt(future / (past + future)), which is 0.45 where a fifth of the events are later. Rates do change, which is why
the past should be given by age: in a gift shop (Online Retail, a fifth of the events later) the sales of the
last month before the cutoff reached 0.77 given the past as one number, and 0 given it by age; an exported total
reached 0.84 and 0.67. On MovieLens, the two were 0.16 and 0.07, and 0.81 and 0.78.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import stats

from homefeed.errors import InvalidError
from homefeed.evaluate.significance import holm
from homefeed.types import Interactions, Positions

Attribute: TypeAlias = npt.NDArray[np.floating[Any]]
Counts: TypeAlias = npt.NDArray[np.int64]

_ALPHA: Final = 0.01
_MIN_FREEDOM: Final = 6


@dataclass(frozen=True, slots=True)
class Leak:
    """An attribute or a system that knows the future: how much of it, and what to do about it."""

    name: str
    measure: float
    why: str


def past_by_age(train: Interactions, item_count: int) -> Counts:
    """The count of each item in the whole past, its latest half of events, quarter and eighth: (items, 4).

    Raises:
        InvalidError: an item is not among the `item_count`.
    """
    if train.items.max(initial=-1) >= item_count:
        raise InvalidError(f"train: expected positions below item_count, {item_count}, got {train.items.max()}")
    items = train.items[np.argsort(train.times, kind="stable")]
    latest = (items[len(items) - len(items) // share :] for share in (1, 2, 4, 8))
    return np.column_stack([np.bincount(some, minlength=item_count) for some in latest])


def leaking_attributes(
    values: Mapping[str, Attribute], past: Counts, future: Counts, min_correlation: float = 0.5
) -> tuple[Leak, ...]:
    """Find the numeric attributes that contain the items' counts after the cutoff, such as exported totals.

    `values` maps an attribute's name to every item's value (items,), NaN where it has none. `future` (items,)
    counts the events from the cutoff on; `past` those before it, (items,), or better by age as `past_by_age` does,
    (items, spans) with the whole past first. The measure is the partial rank correlation of attribute and future
    given the past: the correlation of the residuals of their ranks after regression on the ranks of the past
    (Kendall, Biometrika 32, 1942; with Spearman's r: Conover, Practical Nonparametric Statistics, 1999).

    An attribute is reported if the measure is at least `min_correlation` in size, and above the maximum of a valid
    one by more than chance: Fisher's z, adjusted for the number of attributes by Holm's method, at 1 %. Only items
    with a past are compared, because a date of arrival correctly predicts which others have a future. Not found
    are totals where few items have a later event at all (of MovieLens, less than one in twenty events) or with
    more noise than counts have, and attributes about how items were liked rather than how often.

    Raises:
        InvalidError: a column has another length than the counts, or `min_correlation` is not above 0 and up to 1.
    """
    if not 0 < min_correlation <= 1:
        raise InvalidError(f"min_correlation: expected a number above 0 and up to 1, got {min_correlation}")
    for name, column in {"future": future, **values}.items():
        if column.shape != (len(past),):
            raise InvalidError(f"{name}: expected a value for each of {len(past)} items, got {len(column)}")
    spans = past[:, None] if past.ndim == 1 else past
    found = {name: _partial_rank_correlation(column, spans, future) for name, column in values.items()}
    adjusted = holm({name: p_value for name, (_, p_value) in found.items()})
    return tuple(
        Leak(name, measure, _format_attribute_leak(name, measure))
        for name, (measure, _) in found.items()
        if abs(measure) >= min_correlation and adjusted[name] <= _ALPHA
    )


def leaking_systems(
    lists_now: Mapping[str, Sequence[Positions]], lists_blind: Mapping[str, Sequence[Positions]]
) -> tuple[Leak, ...]:
    """Find the systems with other answers once the future is removed: they read it.

    Both map a system's name to its ranked positions, request by request: `lists_now` with all events,
    `lists_blind` without any event after each request. They are compared exactly, order included, so systems
    that draw at random must use the same seed: one that does not is reported too. The measure is the share of
    requests with different lists.

    Raises:
        InvalidError: the two name other systems or have other numbers of requests, or there are no requests.
    """
    if lists_now.keys() != lists_blind.keys():
        odd = ", ".join(sorted(lists_now.keys() ^ lists_blind.keys()))
        raise InvalidError(f"lists_now, lists_blind: expected the same systems, got only one with {odd}")
    leaks = []
    for name, now in lists_now.items():
        blind = lists_blind[name]
        if len(now) != len(blind):
            raise InvalidError(f"{name}: expected the same requests, got {len(now)} and {len(blind)}")
        if len(now) == 0:
            raise InvalidError(f"{name}: expected lists of at least one request, got none")
        differing = [at for at, pair in enumerate(zip(now, blind, strict=True)) if not np.array_equal(*pair)]
        if differing:
            leaks.append(Leak(name, len(differing) / len(now), _format_system_leak(name, differing, len(now))))
    return tuple(leaks)


def _partial_rank_correlation(attribute: Attribute, past: Counts, future: Counts) -> tuple[float, float]:
    """Of attribute (items,) and future (items,) given past (items, spans), and its p-value; 0 and 1 if unknown."""
    chosen = np.isfinite(attribute) & (past[:, 0] > 0)
    freedom = int(np.count_nonzero(chosen)) - 3 - past.shape[1]
    if freedom < _MIN_FREEDOM:
        return 0.0, 1.0
    past, future = past[chosen], future[chosen]
    known = np.column_stack([np.ones(len(past)), *(stats.rankdata(span) for span in past.T)])
    ranks = np.column_stack([stats.rankdata(attribute[chosen]), stats.rankdata(future)])
    ranks -= ranks.mean(axis=0)
    residuals = ranks - known @ np.linalg.lstsq(known, ranks)[0]
    left = (residuals**2).sum(axis=0)
    # Below this, an attribute in the same order as the past differs from it by rounding only.
    if (left <= 1e-9 * (ranks**2).sum(axis=0)).any():
        return 0.0, 1.0
    measure = float(residuals[:, 0] @ residuals[:, 1] / np.sqrt(left.prod()))
    honest = float(np.sqrt(future.sum() / (past[:, 0].sum() + future.sum())))
    return measure, _p_value(abs(measure), honest, freedom)


def _p_value(size: float, honest: float, freedom: int) -> float:
    """The probability of a partial rank correlation of this size if the true one is no more than `honest`.

    By Fisher's z with the variance 1.06 / (n - 3) of rank correlations (Fieller, Hartley & Pearson, Biometrika 44,
    1957), less one in n for each given variable.
    """
    # Below 1, where the transform is infinite.
    size = min(size, 1 - 1e-12)
    return float(stats.norm.sf((np.arctanh(size) - np.arctanh(honest)) / np.sqrt(1.06 / freedom)))


def _format_attribute_leak(name: str, measure: float) -> str:
    return (
        f'The attribute "{name}" contains counts of events after the cutoff (partial rank correlation '
        f"{measure:+.2f} given the past): remove it, or give each item the value it had at the cutoff."
    )


def _format_system_leak(name: str, differing: Sequence[int], requests: int) -> str:
    return (
        f'The system "{name}" reads the future: {len(differing)} of {requests} lists differ once later events are '
        f"removed, first that of request {differing[0]} (from 0): let it read only events before each "
        "request. A system that draws at random without the seed is reported too: let it use the seed."
    )
