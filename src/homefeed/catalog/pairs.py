"""What each user's events of an item come to, where one user counts once for it: their strongest event."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from homefeed.kernels import BOOL, F32, F64, I32, I64, NOTHING, compiled, kernel, reads, writes
from homefeed.types import Floats, Mask, Numbers, Positions, Times

Keys = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]

_EMPTY: Final = -1
_ROOM: Final = 1024


@dataclass(frozen=True, slots=True)
class Pairs:
    """Every pair (n,) of a user and an item, by their numbers, with what the user's events of the item come to.

    `keys` rise, see `keys_of`. `strengths` are those of the strongest events. `levels` tell of which event most is
    left in a trend: they are the largest of log2(strength) + time / half-life.
    """

    keys: Keys = field(default_factory=lambda: np.empty(0, np.int64))
    strengths: Floats = field(default_factory=lambda: np.empty(0, np.float32))
    levels: Doubles = field(default_factory=lambda: np.empty(0, np.float64))

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def items(self) -> Numbers:
        """(n,) the number of each pair's item."""
        return (self.keys & 0xFFFFFFFF).astype(np.int32)


def keys_of(users: Numbers, items: Numbers) -> Keys:
    """(n,) one number for each pair of numbers."""
    return users.astype(np.int64) << 32 | items


def pairs_of(users: Numbers, items: Numbers, strengths: Floats, times: Times, half_life: float) -> Pairs:
    """The pairs of events (n,) that are no dislikes."""
    if not len(users):
        return Pairs()
    keys = keys_of(users, items)
    order = np.argsort(keys, kind="stable")
    keys, strengths, levels = keys[order], strengths[order], _levels(strengths, times, half_life)[order]
    first = np.flatnonzero(np.diff(keys, prepend=-1))
    return Pairs(keys[first], np.maximum.reduceat(strengths, first), np.maximum.reduceat(levels, first))


def _levels(strengths: Floats, times: Times, half_life: float) -> Doubles:
    with np.errstate(divide="ignore"):  # what has no strength has no level
        levels: Doubles = np.log2(strengths.astype(np.float64)) + times / half_life
    return levels


class PairTable:
    """Pairs that events are added to: those that were counted before stay as they are, beside what changed since.

    What changed is in a hash table with linear probing. It is never more than half full.
    """

    def __init__(self, before: Pairs) -> None:
        self._before = before
        self._count = 0
        self._table = _room(_ROOM)

    def __len__(self) -> int:
        """How many pairs changed or came since."""
        return self._count

    def now(self) -> Pairs:
        """All pairs as they are now. It may be asked beside `add`, and then has some of what is added."""
        keys, strengths, levels = self._table
        used = np.flatnonzero(keys != _EMPTY)
        before = self._before
        kept = ~np.isin(before.keys, keys[used], assume_unique=True)
        every = np.concatenate([before.keys[kept], keys[used]])
        order = np.argsort(every)
        return Pairs(
            every[order],
            np.concatenate([before.strengths[kept], strengths[used]])[order],
            np.concatenate([before.levels[kept], levels[used]])[order],
        )

    def add(
        self,
        users: Numbers,
        numbers: Numbers,
        positions: Positions,
        strengths: Floats,
        times: Times,
        half_life: float,
        landmark: int,
        counts: tuple[Doubles, Doubles, Doubles],
    ) -> Mask:
        """Add to events, strength and trend (items,) what events (n,) of users change in what they come to.

        `numbers` (n,) are those of the items at `positions` (n,). The trend is to the scale of the landmark.
        Returns (n,) which are the first of their pair.
        """
        self._make_room(len(users))
        fresh = np.zeros(len(users), np.bool_)
        self._count += _add(
            *self._table,
            self._before.keys,
            self._before.strengths,
            self._before.levels,
            keys_of(users, numbers),
            positions,
            strengths,
            _levels(strengths, times, half_life),
            landmark / half_life,
            *counts,
            fresh,
        )
        return fresh

    def _make_room(self, more: int) -> None:
        size = len(self._table[0])
        while 2 * (self._count + more) > size:
            size *= 2
        if size > len(self._table[0]):
            table = _room(size)
            _move(*self._table, *table)
            self._table = table


def _room(size: int) -> tuple[Keys, Floats, Doubles]:
    return np.full(size, _EMPTY, np.int64), np.empty(size, np.float32), np.empty(size, np.float64)


@compiled
def _slot(keys: Keys, key: int) -> int:
    """Where a key is, or else could be; there are as many places as a power of two."""
    # The finalizer of splitmix64 (Steele, Lea, Flood 2014): neighbouring numbers come to lie far apart.
    mixed = np.uint64(key)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    last = len(keys) - 1
    slot = np.int64((mixed ^ (mixed >> np.uint64(31))) & np.uint64(last))
    while keys[slot] != _EMPTY and keys[slot] != key:
        slot = (slot + 1) & last
    return int(slot)


@kernel(NOTHING, reads(I64), reads(F32), reads(F64), writes(I64), writes(F32), writes(F64))
def _move(
    old_keys: Keys, old_strengths: Floats, old_levels: Doubles, keys: Keys, strengths: Floats, levels: Doubles
) -> None:
    for old in range(len(old_keys)):
        if old_keys[old] != _EMPTY:
            slot = _slot(keys, old_keys[old])
            keys[slot], strengths[slot], levels[slot] = old_keys[old], old_strengths[old], old_levels[old]


@kernel(
    I64,
    *(writes(I64), writes(F32), writes(F64), reads(I64), reads(F32), reads(F64)),
    *(reads(I64), reads(I32), reads(F32), reads(F64), F64, writes(F64), writes(F64), writes(F64)),
    writes(BOOL),
)
def _add(
    keys: Keys,
    strengths: Floats,
    levels: Doubles,
    before: Keys,
    strengths_before: Floats,
    levels_before: Doubles,
    new_keys: Keys,
    positions: Positions,
    new_strengths: Floats,
    new_levels: Doubles,
    origin: float,
    events: Doubles,
    strength: Doubles,
    trend: Doubles,
    fresh: Mask,
) -> int:
    """How many pairs are new in the table; `fresh` tells which rows made a new pair."""
    count = 0
    for row in range(len(new_keys)):
        key, position = new_keys[row], positions[row]
        slot = _slot(keys, key)
        if keys[slot] == _EMPTY:
            count += 1
            place = np.searchsorted(before, key)
            keys[slot] = key
            if place < len(before) and before[place] == key:
                strengths[slot], levels[slot] = strengths_before[place], levels_before[place]
            else:
                strengths[slot], levels[slot] = 0, -np.inf
                events[position] += 1
                fresh[row] = True
        if new_strengths[row] > strengths[slot]:
            strength[position] += new_strengths[row] - np.float64(strengths[slot])
            strengths[slot] = new_strengths[row]
        if new_levels[row] > levels[slot]:
            trend[position] += np.exp2(new_levels[row] - origin) - np.exp2(levels[slot] - origin)
            levels[slot] = new_levels[row]
    return count
