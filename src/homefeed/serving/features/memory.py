"""The feature store of a server without Redis: in the memory of the process."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

from homefeed.serving.features.store import FeatureStore, FeatureStoreStats, check_keys, check_values

_OVERHEAD: Final = 300
"""About what Python adds to a value: its key, its place in the dictionary, its time."""


class MemoryFeatures(FeatureStore):
    """Values in memory, up to `max_bytes`: those used longest ago make room. `clock` tells seconds."""

    name: ClassVar = "memory"
    shared: ClassVar = False

    def __init__(self, max_bytes: float = 32e6, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes, self._clock, self._bytes = max_bytes, clock, 0
        self._values: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._stats = FeatureStoreStats()

    @property
    def trouble(self) -> str | None:
        """None: memory is always there."""
        return None

    @property
    def stats(self) -> FeatureStoreStats:
        """What was asked for and found."""
        return self._stats

    @property
    def size(self) -> int:
        """About how many bytes the values take."""
        return self._bytes

    async def read(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys, in their order; None for those that are not there, or no longer."""
        check_keys(keys)
        now = self._clock()
        found = [self._find(key, now) for key in keys]
        hits = len(found) - found.count(None)
        self._stats.hits += hits
        self._stats.misses += len(found) - hits
        self._stats.answered += 1
        return found

    async def write(self, values: Mapping[str, bytes], seconds: int) -> None:
        """Keep values for so many seconds."""
        check_values(values)
        until = self._clock() + seconds
        for key, value in values.items():
            self._keep(key, until, value)
        self._stats.answered += 1

    async def replace(self, key: str, value: bytes) -> bytes | None:
        """Put a value that stays; answers the one before."""
        check_values({key: value})
        before = self._find(key, self._clock())
        self._keep(key, math.inf, value)
        self._stats.answered += 1
        return before

    async def delete(self, keys: Sequence[str]) -> None:
        """Forget keys."""
        check_keys(keys)
        for key in keys:
            self._drop(key)
        self._stats.answered += 1

    async def probe(self) -> None:
        """Nothing: memory is always there."""

    async def close(self) -> None:
        """Forget all."""
        self._values.clear()
        self._bytes = 0

    def _find(self, key: str, now: float) -> bytes | None:
        if key not in self._values:
            return None
        until, value = self._values[key]
        if until <= now:
            self._drop(key)
            return None
        self._values.move_to_end(key)
        return value

    def _keep(self, key: str, until: float, value: bytes) -> None:
        self._drop(key)
        self._values[key] = until, value
        self._bytes += len(value) + _OVERHEAD
        while self._bytes > self._max_bytes:
            self._drop(next(iter(self._values)))

    def _drop(self, key: str) -> None:
        if key in self._values:
            self._bytes -= len(self._values.pop(key)[1]) + _OVERHEAD
