"""Groups of items that have something in common, in step with the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from threading import Lock
from typing import TypeAlias

import numpy as np

from homefeed.catalog.growable import Growable
from homefeed.catalog.view import CatalogView
from homefeed.types import NO_POSITIONS, Numbers, Positions

Keys: TypeAlias = Callable[[Positions], Iterable[tuple[int, Hashable | None]]]
"""The key of each of the positions that came or changed, and of any other item whose key changed with theirs."""


class Groups:
    """Items of the same key are one group; an item whose key is None is a group of its own."""

    def __init__(self, catalog: CatalogView, keys: Keys) -> None:
        self._catalog, self._keys = catalog, keys
        self._code_of: dict[Hashable, int] = {}
        self._codes = Growable(np.int32, -1)
        self._several: dict[int, set[int]] = {}
        self._single = Growable(np.int32, -1)
        self._seen = -1
        self._refreshing = Lock()
        self.of_all()

    def of_all(self) -> Numbers:
        """(items,) the group of each."""
        with self._refreshing:
            now = self._catalog.snapshot
            if now.generation != self._seen:
                for position, key in self._keys(now.changed_since(self._seen)):
                    self._move(position, self._code(position, key))
                self._seen = now.generation
            return self._codes.view

    @property
    def has_any(self) -> bool:
        """Whether any group has two items."""
        return bool(self._several)

    def twins(self, items: Positions) -> Positions:
        """Those of the groups of the items that are none of them."""
        codes = self.of_all()
        if not self._several or not len(items):
            return NO_POSITIONS
        met = set(items.tolist())
        groups = self._several.keys() & set(codes[items].tolist())
        others = set().union(*(self._several[code] for code in groups)) - met
        return np.fromiter(others, np.int32, len(others))

    def _move(self, position: int, code: int) -> None:
        """Put an item into a group. Few groups have several members, so only theirs are kept as sets."""
        before = int(self._codes.view[position]) if position < len(self._codes) else -1
        self._codes.set(position, code)
        if before == code:
            return
        if before in self._several:
            self._several[before].discard(position)
            if len(self._several[before]) == 1:
                self._single.set(before, self._several.pop(before).pop())
        elif before >= 0:
            self._single.set(before, -1)
        if code in self._several:
            self._several[code].add(position)
        elif code >= 0 and code < len(self._single) and self._single.view[code] >= 0:
            self._several[code] = {int(self._single.view[code]), position}
        elif code >= 0:
            self._single.set(code, position)

    def _code(self, position: int, key: Hashable | None) -> int:
        # Groups of their own have negative codes.
        return -1 - position if key is None else self._code_of.setdefault(key, len(self._code_of))
