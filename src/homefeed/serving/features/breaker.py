"""A circuit breaker, and a deadline that counts only while the event loop looks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Literal

_LOOKS: Final = 4


class Breaker:
    """Keeps calls from what fails: it opens after `failures` in a row, for `pause` seconds.

    Then one call is let through as a trial, and another after each further pause: the first that succeeds closes
    it. A trial that never ends holds up nobody.
    """

    def __init__(self, failures: int = 5, pause: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._pause, self._clock = failures, pause, clock
        self._failed = 0
        self._trial_at = 0.0

    @property
    def state(self) -> Literal["closed", "open", "half-open"]:
        """Whether calls are let through: all, none, or one as a trial."""
        if self._failed < self._most:
            return "closed"
        return "open" if self._clock() < self._trial_at else "half-open"

    def admits(self) -> bool:
        """Whether a call may be made now; who is told so makes it."""
        state = self.state
        if state == "half-open":
            self._trial_at = self._clock() + self._pause
        return state != "open"

    def succeeded(self) -> None:
        """Note a call that was answered."""
        self._failed = 0

    def failed(self) -> None:
        """Note a call that was not."""
        self._failed = min(self._failed + 1, self._most)
        self._trial_at = self._clock() + self._pause


@asynccontextmanager
async def patience(seconds: float) -> AsyncIterator[None]:
    """Gives up what is within after `seconds`, by which the event loop had time to look for an answer.

    `asyncio.timeout` gives up as well where the answer lies there, and the loop was busy with other requests for
    that long: here the time is counted in four parts, each of which begins with a look.

    Raises:
        TimeoutError: it took longer.
    """
    loop, waiting = asyncio.get_running_loop(), list[asyncio.TimerHandle]()
    async with asyncio.timeout(None) as limit:

        def look(left: int) -> None:
            if left:
                waiting[:] = [loop.call_later(seconds / _LOOKS, look, left - 1)]
            else:
                limit.reschedule(loop.time())

        look(_LOOKS)
        try:
            yield
        finally:
            waiting[0].cancel()
