"""The impression log: what feeds showed, gathered during requests, packed and written in groups beside them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from homefeed.store import Store
from homefeed.store.impressions import Impression, write_impressions

_MOST_WAITING = 10_000
_MOST_SHOWN = 10_000
_MOST_IN_GROUP = 32


class ImpressionLog:
    """Keeps impressions until `flush`; of more than it can hold the oldest are given up, and counted.

    `shown` has the user of each of the latest pages by `request_id`: None for nobody known, or for several.
    """

    def __init__(self, store: Store, app: str) -> None:
        self._store, self._app = store, app
        self._waiting: deque[Callable[[], Impression]] = deque()
        self._lost = self._reported = 0
        self.shown: dict[str, int | None] = {}

    def add(self, request_id: str, user: int | None, make: Callable[[], Impression]) -> None:
        """Take one to be written; it is made when its turn comes."""
        if self.shown.setdefault(request_id, user) != user:
            self.shown[request_id] = None
        if len(self.shown) > _MOST_SHOWN:
            del self.shown[next(iter(self.shown))]
        self._waiting.append(make)
        if len(self._waiting) > _MOST_WAITING:
            self._waiting.popleft()
            self._lost += 1

    @property
    def waiting(self) -> int:
        """How many wait to be written."""
        return len(self._waiting)

    def take_lost(self) -> int:
        """How many were given up since the last call."""
        lost, self._reported = self._lost - self._reported, self._lost
        return lost

    async def flush(self) -> int:
        """Write what waits now, and say how much that was. What cannot be written waits on.

        What comes meanwhile is for the next call: one by one, impressions would cost a transaction each.
        """
        written, left = 0, len(self._waiting)
        while written < left and self._waiting:
            group = [
                self._waiting[index]() for index in range(min(len(self._waiting), left - written, _MOST_IN_GROUP))
            ]
            lost = self._lost
            await write_impressions(self._store, self._app, group)
            # While it was written, the oldest of the group may have been given up.
            for _ in range(len(group) - (self._lost - lost)):
                self._waiting.popleft()
            written += len(group)
        return written
