"""How much items were engaged with, by the hour, over the last week."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.types import DAY, Floats, Positions, Times

Doubles: TypeAlias = npt.NDArray[np.float64]

HOUR: Final = DAY // 24
MAX_HOURS: Final = 168
"""How far back it goes: a week."""
_MIN_PENDING: Final = 8_192


class HourlyCounts:
    """Sums of weights by item and hour: rows for those that had any event, so that quiet items cost nothing.

    What is new is added to a list and put together a few thousand at a time; hours older than a week go then.
    """

    def __init__(self) -> None:
        self._keys = np.empty(0, np.int64)
        self._sums = np.empty(0, np.float64)
        self._pending: list[tuple[Times, Doubles]] = []
        self._waiting = 0

    def __len__(self) -> int:
        """How many pairs of an item and an hour there are, those not put together yet counted one by one."""
        return len(self._keys) + self._waiting

    def restore(self, positions: Positions, hours: Times, sums: Doubles) -> None:
        """Begin with sums (n,) of items by hour: whole hours since 1970."""
        self._pending, self._waiting = [], 0
        self._keys, self._sums = np.empty(0, np.int64), np.empty(0, np.float64)
        self._append(_keys(hours, positions), sums)
        self._put_together()

    def add(self, positions: Positions, strengths: Floats, times: Times) -> None:
        """Add events (n,): below 0 of dislikes."""
        self._append(_keys(times // HOUR, positions), strengths.astype(np.float64))
        if self._waiting > max(_MIN_PENDING, len(self._keys)):
            self._put_together()

    def since(self, now: int, hours: float, size: int) -> Doubles:
        """(size,) the sums of the last hours before `now`; of the hour that is partly in them its share."""
        self._put_together()
        start = now - int(min(hours, MAX_HOURS) * HOUR)
        first = int(np.searchsorted(self._keys, start // HOUR << 32))
        hour, positions = self._keys[first:] >> 32, self._keys[first:] & 0xFFFFFFFF
        share = np.clip((hour + 1) - start / HOUR, 0, 1)
        here = (positions < size) & (hour <= now // HOUR)
        return np.bincount(positions[here], (self._sums[first:] * share)[here], size)[:size].astype(np.float64)

    def _append(self, keys: Times, sums: Doubles) -> None:
        self._pending.append((keys, sums))
        self._waiting += len(keys)

    def _put_together(self) -> None:
        # Whoever adds meanwhile adds to another list.
        pending, self._pending, self._waiting = self._pending, [], 0
        if not pending:
            return
        keys = np.concatenate([self._keys, *(each for each, _ in pending)])
        sums = np.concatenate([self._sums, *(each for _, each in pending)])
        distinct, where = np.unique(keys, return_inverse=True)
        summed = np.bincount(where, sums, len(distinct)).astype(np.float64)
        oldest = (int(distinct[-1]) >> 32) - MAX_HOURS if len(distinct) else 0
        kept = int(np.searchsorted(distinct, oldest << 32))
        self._keys, self._sums = distinct[kept:], summed[kept:]


def _keys(hours: Times | np.int64, positions: npt.NDArray[np.integer] | np.int64) -> Times:
    """(n,) hour and position as one number, in the order of hours."""
    keys: Times = (np.asarray(hours, np.int64) << 32) | np.asarray(positions, np.int64)
    return keys
