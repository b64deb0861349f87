"""Plain counters of what was shown and clicked before, to compare a ranker with."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from homefeed.dataset.ranking_rows import RankingRows
from homefeed.types import DAY, Floats

Doubles = npt.NDArray[np.float64]

NAMES: Final = (
    "shown",
    "clicked",
    "click_rate",
    "shown_1d",
    "clicked_1d",
    "click_rate_1d",
    "shown_1h",
    "clicked_1h",
    "age",
    "since",
)
_FADING: Final = np.array([np.inf, DAY, DAY / 24])
_PRIOR: Final = 20.0
_RATE: Final = 0.04
_HOUR: Final = DAY / 24


def plain_counters(rows: RankingRows) -> Floats:
    """(rows, 10) what was known of each item before its list; lists of one moment do not know one another.

    How often it was shown and clicked, and the smoothed share, ever, in the last day and in the last hour, fading;
    how many hours ago it was first shown, and last.
    """
    width = int(rows.items.max(initial=0)) + 1
    counts, latest = np.zeros((width, 2, len(_FADING))), np.full(width, -np.inf)
    first = np.full(width, np.inf)
    features = np.zeros((len(rows.items), len(NAMES)), np.float32)
    starts, counted = rows.data.starts.tolist(), 0
    for number, time in enumerate(rows.times.tolist()):
        while rows.times[counted] < time:
            part = slice(starts[counted], starts[counted + 1])
            _count(counts, latest, first, rows, part, float(rows.times[counted]))
            counted += 1
        part = slice(starts[number], starts[number + 1])
        features[part] = _features(counts, latest, first, rows.items[part], float(time))
    return features


def _count(counts: Doubles, latest: Doubles, first: Doubles, rows: RankingRows, part: slice, time: float) -> None:
    items, clicked = rows.items[part], rows.data.chosen[part]
    counts[items] *= _left(latest[items], time)
    counts[items, 0] += 1
    counts[items, 1] += clicked[:, None]
    latest[items], first[items] = time, np.minimum(first[items], time)


def _left(latest: Doubles, time: float) -> Doubles:
    """(n, 1, fadings) what is left of counts as of the latest times."""
    ages = np.where(np.isfinite(latest), time - latest, 0)
    left: Doubles = np.exp(-ages[:, None, None] / _FADING)
    return left


def _features(
    counts: Doubles, latest: Doubles, first: Doubles, items: npt.NDArray[np.int32], time: float
) -> Doubles:
    shown, clicked = np.moveaxis(counts[items] * _left(latest[items], time), 1, 0)
    rate = (clicked + _RATE * _PRIOR) / (shown + _PRIOR)
    age = np.where(np.isfinite(first[items]), time - first[items], 0) / _HOUR
    since = np.where(np.isfinite(latest[items]), time - latest[items], 1e3 * _HOUR) / _HOUR
    both = [column for at in range(2) for column in (shown[:, at], clicked[:, at], rate[:, at])]
    found: Doubles = np.column_stack([*both, shown[:, 2], clicked[:, 2], age, since])
    return found
