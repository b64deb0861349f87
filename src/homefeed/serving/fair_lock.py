"""A lock that lets one request compute in each turn of the event loop, and refuses who would wait too long."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import Final

from homefeed.errors import OverloadedError

TOO_MANY: Final = "more is requested than can be computed; try again in a second"

_SHARE: Final = 1 / 16
"""How much the latest turn counts in the mean of all."""
_OUTLIER: Final = 8.0
"""A turn of more than so many means, such as a pause of the process, counts as so many."""
_FIRST_SECONDS: Final = 0.001
_MAY_WAIT: Final = 8
"""So few are never too many, however long a turn takes."""


class FairLock:
    """`async with` this: one request computes in each turn of the event loop, however many are ready.

    What waits for the store needs many turns of it: it would wait for all that is ready in every one. Who comes
    when those before need more than `max_wait` seconds is refused at once: it would wait as long, and so would all
    after it.

    Attributes:
        refused: How many were refused, by the lock or in its name.
    """

    def __init__(self, max_wait: float = math.inf, clock: Callable[[], float] = time.perf_counter) -> None:
        self._one, self._max_wait, self._clock = asyncio.Lock(), max_wait, clock
        self._count, self._turn = 0, _FIRST_SECONDS
        self._began = self._free_since = clock()
        self.refused = 0

    @property
    def length(self) -> int:
        """How many compute or wait for their turn."""
        return self._count

    @property
    def expected_wait(self) -> float:
        """Seconds that who comes now is going to wait: those before, each for a mean turn."""
        return self._count * self._turn

    @property
    def is_full(self) -> bool:
        """Whether who comes now is refused."""
        return self._count > _MAY_WAIT and self.expected_wait > self._max_wait

    async def __aenter__(self) -> None:
        """Wait for the turn.

        Raises:
            OverloadedError: it would take too long.
        """
        if self.is_full:
            self.refused += 1
            raise OverloadedError(TOO_MANY)
        came = self._clock()
        self._count += 1
        try:
            await self._one.acquire()
            try:
                await asyncio.sleep(0)
            except BaseException:
                self._one.release()
                raise
        except BaseException:
            self._count -= 1
            raise
        self._began = max(came, self._free_since)

    async def __aexit__(self, *_: object) -> None:
        self._free_since = self._clock()
        # All that happens between two turns is part of one: answers, events and refusals take their time, too.
        took = min(self._free_since - self._began, _OUTLIER * self._turn)
        self._turn += _SHARE * (took - self._turn)
        self._count -= 1
        self._one.release()
