"""One answer for all who ask at once: what is costly to make is made once, not once for each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import perf_counter
from typing import Generic, TypeVar

T = TypeVar("T")


class Together(Generic[T]):
    """Makes a thing anew for those who ask before it is begun, and rests as long as it took to make the last.

    So whoever asks gets what is made after they asked, and all who ask take half of the processor at the most.
    """

    def __init__(self, make: Callable[[], T], clock: Callable[[], float] = perf_counter) -> None:
        self._make, self._clock = make, clock
        self._next: asyncio.Task[T] | None = None
        self._rested = 0.0

    async def get(self) -> T:
        """The next that is made. Whoever gives up waiting leaves it to the others."""
        if self._next is None:
            self._next = asyncio.create_task(self._make_next(self._rested - self._clock()))
        return await asyncio.shield(self._next)

    async def _make_next(self, rest: float) -> T:
        await asyncio.sleep(max(rest, 0.0))
        self._next = None
        began = self._clock()
        try:
            return self._make()
        finally:
            ended = self._clock()
            self._rested = 2 * ended - began
