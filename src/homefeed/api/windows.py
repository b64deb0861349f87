"""Rates counted in memory: sliding windows; a request costs the same however many names are counted."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from limits import RateLimitItem

MOST_NAMES: Final = 100_000
"""How many names a limit counts in a window; of more, those are forgotten that asked least lately."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a key or a user stands: `limit` requests in `window` seconds, of which so many remain until `reset`."""

    name: str
    limit: int
    window: int
    remaining: int
    reset: int
    admitted: bool


class Windows:
    """Counts requests by name in the present window and the one before, which counts by the part still in sight.

    The same approximation as that of the `limits` library in Redis. What ends is dropped whole: nothing is swept.
    """

    def __init__(self, name: str, limit: RateLimitItem, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._clock = name, clock
        self._most, self._seconds = limit.amount, limit.get_expiry()
        self._number = 0
        self._before: OrderedDict[str, int] = OrderedDict()
        self._counts: OrderedDict[str, int] = OrderedDict()

    def look(self, who: str) -> Standing:
        """How one who asks now would stand; nothing is counted."""
        left = self._turn()
        before, count = self._before.get(who, 0), self._counts.get(who, 0)
        used = int(before * left / self._seconds + count)
        admitted = used < self._most
        reset = left if admitted else self._wait(before, count, left)
        return Standing(self._name, self._most, self._seconds, max(self._most - used, 0), int(reset) + 1, admitted)

    def count(self, who: str) -> Standing:
        """Count a request, unless it is one too many; how it stands then."""
        found = self.look(who)
        if not found.admitted:
            return found
        self._counts[who] = self._counts.get(who, 0) + 1
        self._counts.move_to_end(who)
        if len(self._counts) > MOST_NAMES:
            self._counts.popitem(last=False)
        return Standing(found.name, found.limit, found.window, found.remaining - 1, found.reset, admitted=True)

    def _turn(self) -> float:
        """Go on to the present window; how many seconds are left of it."""
        number, into = divmod(self._clock(), self._seconds)
        if number != self._number:
            self._before = self._counts if number == self._number + 1 else OrderedDict()
            self._counts, self._number = OrderedDict(), int(number)
        return self._seconds - into

    def _wait(self, before: int, count: int, left: float) -> float:
        """After how many seconds one more is admitted, who is not now."""
        if count < self._most:
            return left - (self._most - count) * self._seconds / before
        return left + self._seconds * (1 - self._most / count)
