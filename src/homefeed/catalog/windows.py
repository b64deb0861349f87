"""Counts of the last hour, day and week that fade, so that nothing has to be taken out of them again."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.catalog.growable import Growable
from homefeed.kernels import BOOL, F64, I32, I64, NOTHING, kernel, reads, writes
from homefeed.types import DAY, NO_TIME, Mask, Positions, Times

Doubles: TypeAlias = npt.NDArray[np.float64]

WINDOWS: Final = MappingProxyType({"1h": DAY // 24, "1d": DAY, "7d": 7 * DAY})
"""By name, how long each is, in microseconds."""
LENGTHS: Final = np.array(list(WINDOWS.values()), np.float64)
"""(windows,) the same in their order."""


def faded(lengths: Doubles, ages: npt.NDArray[Any]) -> Doubles:
    """(n, windows) what is left of something after a time: e^(-age / length), all of it before its time.

    What happens evenly comes to as much as happens in a window of that length.
    """
    left: Doubles = np.exp(-np.maximum(ages, 0)[:, None] / lengths)
    return left


class FadingCounts:
    """How often something happened to each item lately, by window; each time counts e^(-age / length)."""

    def __init__(self) -> None:
        self._counts = Growable(np.float64, 0.0)
        self._latest = Growable(np.int64, NO_TIME)

    def grow(self, size: int) -> None:
        """Make room for so many items."""
        self._counts.grow(size * len(WINDOWS))
        self._latest.grow(size)

    def restore(self, positions: Positions, counts: Doubles, latest: Times) -> None:
        """Take over what was counted: (n, windows) as of the `latest` times (n,) of each item."""
        self._counts.view.reshape(-1, len(WINDOWS))[positions] = counts
        self._latest.view[positions] = latest

    def add(self, positions: Positions, times: Times, counting: Mask) -> None:
        """Count those (n,) that are `counting`, in the order in which they came to be known."""
        _add(self._counts.view, self._latest.view, LENGTHS, positions, times, counting)

    def at(self, positions: Positions, now: int) -> Doubles:
        """(n, windows) what is left of it now; what is dated later counts whole."""
        latest = self._latest.view[positions]
        ages = np.where(latest == NO_TIME, 0, now - np.where(latest == NO_TIME, now, latest))
        counts: Doubles = self._counts.view.reshape(-1, len(WINDOWS))[positions]
        return counts * faded(LENGTHS, ages)


def counted(positions: Positions, times: Times, item_count: int) -> tuple[Doubles, Times]:
    """(items, windows) how often something happened to each, and (items,) when last; in the order of time."""
    counts, latest = np.zeros(item_count * len(WINDOWS)), np.full(item_count, NO_TIME, np.int64)
    _add(counts, latest, LENGTHS, positions, times, np.ones(len(positions), np.bool_))
    return counts.reshape(item_count, len(WINDOWS)), latest


@kernel(NOTHING, writes(F64), writes(I64), reads(F64), reads(I32), reads(I64), reads(BOOL))
def _add(
    counts: Doubles, latest: Times, lengths: Doubles, positions: Positions, times: Times, counting: Mask
) -> None:
    width = len(lengths)
    for row in range(len(positions)):
        if not counting[row]:
            continue
        position, time = positions[row], times[row]
        before = latest[position]
        first = before == NO_TIME
        gap = 0 if first else time - before
        for window in range(width):
            place = position * width + window
            if gap >= 0:
                counts[place] = counts[place] * np.exp(-gap / lengths[window]) + 1.0
            else:  # it is told late: so much less is left of it
                counts[place] += np.exp(gap / lengths[window])
        latest[position] = max(before, time)
