"""How much each place of a list is looked at, measured from clicks where chance had a part in who stood where.

A click needs an item that is wanted and a place that is looked at: P(click) = examination(place) x P(wanted)
(Richardson, Dominowska & Ragno, "Predicting Clicks", WWW 2007). What stands lower is clicked less whatever it is.
Where the same items stood at two places by chance, the ratio of their clicks is that of the examination, and a
click at a place counts 1 / examination in learning: Joachims, Swaminathan & Schnabel, "Unbiased Learning-to-Rank
with Biased Feedback" (WSDM 2017).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from homefeed.types import Floats, Mask

Doubles = npt.NDArray[np.float64]
Integers = npt.NDArray[np.integer[Any]]

MIN_CLICKS: Final = 20
"""With fewer clicks at one of two places that are compared, nothing is said of the lower one."""
_MOVED: Final = 0.5
"""Items that changed places have a lower propensity than this, those that could and did not a higher one."""
_MOST_PLACES: Final = 100
_TOLERANCE: Final = 0.01
_RESAMPLES: Final = 200


@dataclass(frozen=True, slots=True, eq=False)
class Showings:
    """Items that were shown, as columns (n,): the request, as a number, and the place in its list, from 0, whether
    it was clicked, and the probability with which chance put it there.

    All that was shown belongs in it. Rows that are left out because nothing was clicked below them, say, would
    make lower places look better than they are.
    """

    requests: Integers
    places: Integers
    clicked: Mask
    propensities: npt.NDArray[np.floating[Any]]

    def __len__(self) -> int:
        return len(self.places)


@dataclass(frozen=True, slots=True, eq=False)
class Examination:
    """How much each place (places,) is looked at, as a share of the first, with the bounds of its 95 % interval.

    `known` is how many places, from the first, were measured; all below are taken as the last of them.
    """

    places: Doubles
    low: Doubles
    high: Doubles
    known: int

    def at(self, places: Integers) -> Doubles:
        """(n,) the examination of places (n,), from 0."""
        return self.places[np.minimum(places, len(self.places) - 1)]


def unknown_examination() -> Examination:
    """That of which nothing is known: every place as the first."""
    one = np.ones(1)
    return Examination(one, one, one, 1)


def weights_of(places: Integers, examination: Examination, cap: float = 10.0) -> Floats:
    """(n,) what clicks at places (n,) count in learning: 1 / examination, and no more than the cap.

    The cap bounds what one click at a place that is hardly looked at can do, at the price of some bias.
    """
    return (1 / np.maximum(examination.at(places), 1 / cap)).astype(np.float32)


def examination_by_swaps(
    showings: Showings, rng: np.random.Generator, *, falling: bool = True, min_clicks: int = MIN_CLICKS
) -> Examination:
    """From lists of which neighbours changed places by chance, as the reranker `swap` lets them.

    For two neighbouring places the clicks of the items that may have stood at either are summed at each, every
    click divided by its propensity; their ratio is that of the examination (the interventional sets of Agarwal et
    al., "Estimating Position Bias without Intrusive Interventions", WSDM 2019). The ratios are multiplied from the
    first place on, which is 1, down to the first pair with too few clicks. `falling` says that no place is looked
    at more than one above it, by isotonic regression; intervals are of a bootstrap over requests.

    Which items may have changed is told by the propensities: those of items that did are below one half, and those
    that stayed have more. So it is where the share, divided by the number of pairs, is below a quarter.
    """
    upper, lower, moved = _neighbours(showings)
    ample = np.minimum(*moved) >= min_clicks
    known = int(np.argmin(np.append(ample, False)))
    if known == 0:
        return unknown_examination()
    sums = np.hstack([upper.sums[:, :known], lower.sums[:, :known]])

    def curve(totals: Doubles) -> Doubles:
        ratios = totals[known:] / np.maximum(totals[:known], 1e-12)
        return _shaped(np.cumprod([1.0, *ratios]), falling)

    return _with_bounds(curve, sums, upper.requests, rng)


def examination_by_lot(
    showings: Showings, rng: np.random.Generator, *, falling: bool = True, min_clicks: int = MIN_CLICKS
) -> Examination:
    """From lists whose items were drawn, so that each place had the same items in the long run.

    The examination of a place is its share of clicks over that of the first, every showing divided by its
    propensity. `falling` and the intervals are as of swaps.
    """
    weights = 1 / np.asarray(showings.propensities, np.float64)
    size = min(int(showings.places.max(initial=-1)) + 1, _MOST_PLACES)
    clicks = np.bincount(showings.places[showings.clicked], minlength=size)[:size]
    known = int(np.argmin(np.append(clicks >= min_clicks, False)))
    if known < 2:
        return unknown_examination()
    clicked = _by_request(showings, weights * showings.clicked, known)
    shown = _by_request(showings, weights, known)

    def curve(totals: Doubles) -> Doubles:
        rates = totals[:known] / np.maximum(totals[known:], 1e-12)
        return _shaped(rates / max(rates[0], 1e-12), falling)

    return _with_bounds(curve, np.hstack([clicked.sums, shown.sums]), clicked.requests, rng)


class _Sums(NamedTuple):
    """Sums (requests with any, columns) of each request, and how many requests there are."""

    sums: Doubles
    requests: int


def _by_request(showings: Showings, values: Doubles, size: int) -> _Sums:
    """The values (n,) of each request by place, of the first places."""
    found, row = np.unique(showings.requests, return_inverse=True)
    table, there = np.zeros((len(found), size)), showings.places < size
    np.add.at(table, (row[there], showings.places[there]), values[there])
    return _Sums(table, len(found))


def _neighbours(showings: Showings) -> tuple[_Sums, _Sums, tuple[Integers, Integers]]:
    """For each pair of places the clicks at the upper and at the lower, over their propensities, by request; and
    how many of items that changed places there were at each."""
    touched = showings.places[showings.propensities < 1]
    size = min(max(int(touched.max(initial=0)) + 1, 2), _MOST_PLACES)
    requests, row = np.unique(showings.requests, return_inverse=True)
    propensities, clicked = np.full((len(requests), size), np.nan), np.zeros((len(requests), size), np.bool_)
    there = showings.places < size
    at = row[there], showings.places[there]
    propensities[at], clicked[at] = showings.propensities[there], showings.clicked[there]
    moved = _changed(propensities)
    pairs = _in_play(propensities, moved)
    clicks = np.where(clicked, 1 / propensities, 0)
    at_home = ~_either(moved)
    # An item that came from elsewhere is none of the pair's.
    upper = np.where(pairs & (moved | at_home[:, :-1]), clicks[:, :-1], 0)
    lower = np.where(pairs & (moved | at_home[:, 1:]), clicks[:, 1:], 0)
    some = upper.any(axis=1) | lower.any(axis=1)
    counts = (moved & clicked[:, :-1]).sum(axis=0), (moved & clicked[:, 1:]).sum(axis=0)
    return _Sums(upper[some], len(requests)), _Sums(lower[some], len(requests)), counts


def _changed(propensities: Doubles) -> Mask:
    """(requests, places - 1) whether the items of the place and the next had changed places."""
    upper, lower = propensities[:, :-1], propensities[:, 1:]
    return (upper < _MOVED) & np.isclose(upper, lower, rtol=1e-4)


def _either(pairs: Mask) -> Mask:
    """(requests, places) whether a place is one of a pair (requests, places - 1)."""
    return np.pad(pairs, ((0, 0), (1, 0))) | np.pad(pairs, ((0, 0), (0, 1)))


def _in_play(propensities: Doubles, moved: Mask) -> Mask:
    """(requests, places - 1) whether the items of the place and the next may have changed places.

    An item that stayed has the propensity 1 - s x the number of its pairs, s being that of one that changed. So
    the pairs follow from the first place on.
    """
    staying = 1 - propensities
    one = np.where(staying > 0, staying, np.inf).min(axis=1, initial=np.inf)
    rows = moved.any(axis=1)
    one[rows] = propensities[rows, moved[rows].argmax(axis=1)]
    degrees = staying / one[:, None]
    degrees[np.abs(degrees - np.round(degrees)) > _TOLERANCE] = np.nan
    degrees[_either(moved)] = 1
    pairs, before = np.zeros(moved.shape, np.bool_), np.zeros(len(moved))
    for place in range(moved.shape[1]):
        left = np.round(degrees[:, place]) - before
        if place:
            # Of the lower of two that changed the number of pairs is not known: that of the next has to do.
            left = np.where(moved[:, place - 1], degrees[:, place + 1] > _TOLERANCE, left)
        pairs[:, place] = moved[:, place] | ((left == 1) & (degrees[:, place + 1] > _TOLERANCE))
        before = pairs[:, place].astype(np.float64)
    return pairs


def _shaped(curve: Doubles, falling: bool) -> Doubles:
    """The same as shares of the first, nowhere rising if it is to fall."""
    if falling:
        from scipy.optimize import isotonic_regression  # slow to import, and only needed here

        curve = isotonic_regression(curve, increasing=False).x
    return np.asarray(curve / max(curve[0], 1e-12))


def _with_bounds(
    curve: Callable[[Doubles], Doubles],
    sums: Doubles,
    requests: int,
    rng: np.random.Generator,
    resamples: int = _RESAMPLES,
) -> Examination:
    """The curve of the sums of all requests, and its interval by resampling them.

    Of `requests` those with no sum at all are not among the rows: how many of the others are drawn is drawn first.
    """
    places, count = curve(sums.sum(axis=0)), len(sums)
    drawn = np.empty((resamples, len(places)))
    for resample in range(resamples):
        some = rng.integers(count, size=rng.binomial(requests, count / requests))
        drawn[resample] = curve(np.bincount(some, minlength=count) @ sums)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    return Examination(places, np.minimum(low, places), np.maximum(high, places), len(places))
