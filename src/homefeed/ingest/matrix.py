"""The density of the matrix of users and items, counted in bounded memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.types import Mask, Numbers

_KEPT: Final = 1 << 20
_WHOLE: Final = 2.0**64

_Hashes: TypeAlias = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Matrix:
    """The users and items of an app, those with events in the file, and the distinct pairs of them.

    `pairs` is exact, or, where `estimated`, right to about one in a thousand.
    """

    users: int
    items: int
    active_users: int
    active_items: int
    pairs: int
    estimated: bool

    @property
    def density(self) -> float:
        """The share of all pairs of a user and an item that have an event."""
        return self.pairs / (self.users * self.items) if self.users and self.items else 0.0


class DistinctCounter:
    """Counts distinct 64-bit hashes: exactly up to a million, above that estimated from the smallest ones."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._limit = kept
        self._kept: _Hashes = np.empty(0, dtype=np.uint64)
        self._fresh: list[_Hashes] = []
        self._fresh_count = 0
        self._full = False

    def add(self, hashes: _Hashes) -> None:
        """Add some hashes."""
        if self._full:
            hashes = hashes[hashes < self._kept[-1]]
        self._fresh.append(hashes)
        self._fresh_count += len(hashes)
        if self._fresh_count > self._limit:
            self._compact()

    def count(self) -> tuple[int, bool]:
        """The number of distinct hashes, and whether it is an estimate."""
        self._compact()
        if not self._full:
            return len(self._kept), False
        return round((len(self._kept) - 1) / (float(self._kept[-1]) / _WHOLE)), True

    def _compact(self) -> None:
        distinct = np.unique(np.concatenate([self._kept, *self._fresh]))
        self._fresh, self._fresh_count = [], 0
        self._full = self._full or len(distinct) > self._limit
        self._kept = distinct[: self._limit].copy()


class MatrixCounter:
    """Counts the users and items of events, batch by batch."""

    def __init__(self) -> None:
        self._users: Mask = np.zeros(0, dtype=np.bool_)
        self._items: Mask = np.zeros(0, dtype=np.bool_)
        self._pairs = DistinctCounter()

    def add(self, users: Numbers, items: Numbers) -> None:
        """Add events, by the numbers of their users and items."""
        if len(users):
            self._users = _marked(self._users, users)
            self._items = _marked(self._items, items)
            self._pairs.add(mixed((users.astype(np.uint64) << np.uint64(32)) | items.astype(np.uint64)))

    def matrix(self, users: int, items: int) -> Matrix:
        """The figures, for an app with `users` users and `items` items."""
        pairs, estimated = self._pairs.count()
        return Matrix(users, items, int(self._users.sum()), int(self._items.sum()), pairs, estimated)


def mixed(codes: _Hashes) -> _Hashes:
    """The codes shuffled over all 64 bits, distinct ones staying distinct (the finaliser of splitmix64)."""
    codes = (codes ^ (codes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    codes = (codes ^ (codes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return codes ^ (codes >> np.uint64(31))


def _marked(seen: Mask, numbers: Numbers) -> Mask:
    missing = int(numbers.max()) + 1 - len(seen)
    if missing > 0:
        seen = np.concatenate([seen, np.zeros(missing, dtype=np.bool_)])
    seen[numbers] = True
    return seen
