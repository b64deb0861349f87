"""Leaks that a clean split cannot see: attributes that know the future, and systems that read it.

Whether an attribute knows how often items came up after the cutoff is a matter of degree. Given the past, an
honest one may tell something of the future: quality that counts have yet to show, a year where new items rise. As
long as items' rates stay as they were, even the rate itself correlates with the future, given the past, by no more
than sqrt(future / (past + future)), which is 0.45 where a fifth of the events are later. Rates do change, which is
why the past should be given by age: in a gift shop (Online Retail, a fifth of the events later) the sales of the
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
_LEAST_FREEDOM: Final = 6


@dataclass(frozen=True, slots=True)
class Leak:
    """Something that knows the future: an attribute or a system, how much of it, and what to do, in a sentence."""

    name: str
    measure: float
    why: str


def past_by_age(train: Interactions, item_count: int) -> Counts:
    """How often each item came up in the whole past, its latest half of events, quarter and eighth: (items, 4).

    Raises:
        InvalidError: an item is not among the `item_count`.
    """
    if train.items.max(initial=-1) >= item_count:
        raise InvalidError(f"train: expected positions below item_count, {item_count}, got {train.items.max()}")
    items = train.items[np.argsort(train.times, kind="stable")]
    latest = (items[len(items) - len(items) // share :] for share in (1, 2, 4, 8))
    return np.column_stack([np.bincount(some, minlength=item_count) for some in latest])


def telling_attributes(
    values: Mapping[str, Attribute], past: Counts, future: Counts, least: float = 0.5
) -> tuple[Leak, ...]:
    """Find the numeric attributes that know how often items came up after the cutoff, such as exported totals.

    `values` maps an attribute's name to every item's value (items,), NaN where it has none. `future` (items,)
    counts the events from the cutoff on; `past` those before it, (items,), or better by age as `past_by_age` does,
    (items, spans) with the whole past first. The measure is the partial rank correlation of attribute and future
    given the past: that of what is left of their ranks after regression on the ranks of the past (Kendall,
    Biometrika 32, 1942; with Spearman's r: Conover, Practical Nonparametric Statistics, 1999).

    An attribute is named where the measure is at least `least` in size, and above what an honest one reaches by
    more than chance: Fisher's z, adjusted for the number of attributes by Holm's method, at 1 %. Only items with a
    past are compared, for a date of arrival rightly tells which others have a future. Not found are totals where
    few items have a later event at all (of MovieLens, less than one in twenty events) or blurred beyond the noise
    of counts, and attributes that know not how often items came up but how they were liked.

    Raises:
        InvalidError: a column has another length than the counts, or `least` is not above 0 and up to 1.
    """
    if not 0 < least <= 1:
        raise InvalidError(f"least: expected a correlation above 0 and up to 1, got {least}")
    for name, column in {"future": future, **values}.items():
        if column.shape != (len(past),):
            raise InvalidError(f"{name}: expected a value for each of {len(past)} items, got {len(column)}")
    spans = past[:, None] if past.ndim == 1 else past
    found = {name: _partial_rank_correlation(column, spans, future) for name, column in values.items()}
    adjusted = holm({name: p_value for name, (_, p_value) in found.items()})
    return tuple(
        Leak(name, measure, _telling(name, measure))
        for name, (measure, _) in found.items()
        if abs(measure) >= least and adjusted[name] <= _ALPHA
    )


def time_travellers(
    lists_now: Mapping[str, Sequence[Positions]], lists_blind: Mapping[str, Sequence[Positions]]
) -> tuple[Leak, ...]:
    """Find the systems that answer otherwise once the future is taken away: they read it.

    Both map a system's name to its ranked positions, request by request: `lists_now` from the world as it is,
    `lists_blind` from one without any event after each request. They are compared exactly, order included, so
    that systems which draw by chance must draw with the same seed: one that does not is named, too. The measure
    is the share of the requests whose lists differ.

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
            leaks.append(Leak(name, len(differing) / len(now), _travelling(name, differing, len(now))))
    return tuple(leaks)


def _partial_rank_correlation(attribute: Attribute, past: Counts, future: Counts) -> tuple[float, float]:
    """Of attribute (items,) and future (items,) given past (items, spans), and its p-value; 0 and 1 if unknown."""
    chosen = np.isfinite(attribute) & (past[:, 0] > 0)
    freedom = int(np.count_nonzero(chosen)) - 3 - past.shape[1]
    if freedom < _LEAST_FREEDOM:
        return 0.0, 1.0
    past, future = past[chosen], future[chosen]
    known = np.column_stack([np.ones(len(past)), *(stats.rankdata(span) for span in past.T)])
    ranks = np.column_stack([stats.rankdata(attribute[chosen]), stats.rankdata(future)])
    ranks -= ranks.mean(axis=0)
    unsaid = ranks - known @ np.linalg.lstsq(known, ranks)[0]
    left = (unsaid**2).sum(axis=0)
    # Below this, what orders items as the past does is told from it by rounding only.
    if (left <= 1e-9 * (ranks**2).sum(axis=0)).any():
        return 0.0, 1.0
    measure = float(unsaid[:, 0] @ unsaid[:, 1] / np.sqrt(left.prod()))
    honest = float(np.sqrt(future.sum() / (past[:, 0].sum() + future.sum())))
    return measure, _p_value(abs(measure), honest, freedom)


def _p_value(size: float, honest: float, freedom: int) -> float:
    """How likely a partial rank correlation of this size is where the true one is no more than `honest`.

    By Fisher's z with the variance 1.06 / (n - 3) of rank correlations (Fieller, Hartley & Pearson, Biometrika 44,
    1957), less one in n for each thing given.
    """
    # Short of 1, where the transform is infinite.
    size = min(size, 1 - 1e-12)
    return float(stats.norm.sf((np.arctanh(size) - np.arctanh(honest)) / np.sqrt(1.06 / freedom)))


def _telling(name: str, measure: float) -> str:
    return (
        f'The attribute "{name}" knows how often items came up after the cutoff (partial rank correlation '
        f"{measure:+.2f} given the past): take it out, or give each item the value it had at the cutoff."
    )


def _travelling(name: str, differing: Sequence[int], requests: int) -> str:
    return (
        f'The system "{name}" reads the future: {len(differing)} of {requests} lists differ once later events are '
        f"taken away, first that of request {differing[0]} (from 0): let it see only what was before each "
        "request. One that draws by chance without the seed is named, too: let it draw by the seed."
    )
