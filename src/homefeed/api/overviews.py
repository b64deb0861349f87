"""Overviews are computed beside the requests, one at a time, and kept for a while."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from homefeed.api.overview import OverviewOut, with_state
from homefeed.dataset.overview import read_overview
from homefeed.errors import HomefeedError, InvalidError, UnavailableError
from homefeed.recipe import Recipe
from homefeed.store import open_store

KEPT_SECONDS: Final = 60.0
"""How long an overview is kept."""
_LONGER: Final = 20
"""It is kept for so many times as long as it took, if that is longer."""
_MOST_KEPT: Final = 32
_LONGEST_REST: Final = 0.25

_Key: TypeAlias = tuple[str, int]


class _EndedError(Exception):
    """The server ends."""


@dataclass(slots=True)
class Overviews:
    """The overviews of a server's apps. Each is read in a thread of its own, by connections of its own.

    Between two groups of rows it rests for as long as it took to read one, so that requests have the processor.
    """

    store_url: str
    _kept: dict[_Key, tuple[float, OverviewOut]] = field(default_factory=dict)
    _running: dict[_Key, asyncio.Task[OverviewOut]] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _ending: threading.Event = field(default_factory=threading.Event)

    async def of(self, recipe: Recipe, versions: Mapping[str, str], now: int, days: int) -> OverviewOut:
        """The overview of an app's last days, a moment old at most.

        Raises:
            UnavailableError: the store cannot be read, or the server ends.
        """
        key = (recipe.app, days)
        until, kept = self._kept.get(key, (0.0, None))
        if kept is not None and time.monotonic() < until:
            return kept
        if key not in self._running:
            self._running[key] = asyncio.create_task(self._make(key, recipe, versions, now))
            self._running[key].add_done_callback(partial(self._forget, key))
        return await asyncio.shield(self._running[key])

    async def stop(self) -> None:
        """End what is being read."""
        self._ending.set()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _forget(self, key: _Key, made: asyncio.Task[OverviewOut]) -> None:
        del self._running[key]
        if not made.cancelled():
            made.exception()  # who asked may be gone

    async def _make(self, key: _Key, recipe: Recipe, versions: Mapping[str, str], now: int) -> OverviewOut:
        async with self._turn:
            began = time.monotonic()
            read = partial(self._read, recipe, dict(versions), now, key[1])
            try:
                made = await asyncio.to_thread(lambda: asyncio.run(read()))
            except (InvalidError, UnavailableError):
                raise
            except (HomefeedError, _EndedError) as error:
                raise UnavailableError(str(error) or "the server ends; ask again in a moment") from error
            ended = time.monotonic()
        self._kept.pop(key, None)
        self._kept[key] = (ended + max(KEPT_SECONDS, _LONGER * (ended - began)), made)
        if len(self._kept) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return made

    async def _read(self, recipe: Recipe, versions: Mapping[str, str], now: int, days: int) -> OverviewOut:
        async with open_store(self.store_url) as store:
            found = await read_overview(store, recipe, now, days, _Pace(self._ending))
            return await with_state(store, recipe, found, versions, now)


@dataclass(slots=True)
class _Pace:
    """Rests for as long as it took from one call to the next; it is called in the reading thread."""

    ending: threading.Event
    _since: float = field(default_factory=time.monotonic)

    def __call__(self, _done: int, _total: int) -> None:
        if self.ending.wait(min(time.monotonic() - self._since, _LONGEST_REST)):
            raise _EndedError
        self._since = time.monotonic()
