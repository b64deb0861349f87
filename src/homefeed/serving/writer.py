"""The event writer: whatever arrives while one group is being committed is the next group."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import TypeAlias

from homefeed.errors import OverloadedError, UnavailableError
from homefeed.store.events import Outcome
from homefeed.types import Event

_MOST_IN_GROUP = 2_000
_MOST_WAITING = 50_000

Commit = Callable[[Sequence[Event]], Awaitable[list[Outcome]]]
_Entry: TypeAlias = tuple[Sequence[Event], asyncio.Future[list[Outcome]]]


class EventWriter:
    """Gathers events of all requests into groups and writes one group at a time.

    `write` returns when its events are durable: one commit, and one wait for the disk, serves all of a group.
    """

    def __init__(self, commit: Commit, deadline: float | None = None) -> None:
        self._commit, self._deadline = commit, deadline
        self._waiting: list[_Entry] = []
        self._count = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many events wait for a group to be written in."""
        return self._count

    async def write(self, events: Sequence[Event]) -> list[Outcome]:
        """Have events written; returns the outcome of each.

        Raises:
            OverloadedError: too many are waiting already; none of these was taken.
            UnavailableError: they were not written within the deadline, in seconds. Those not begun by then never
                are; the others may be.
        """
        if not events:
            return []
        if self._count + len(events) > _MOST_WAITING:
            raise OverloadedError("too many events are waiting to be written; try again in a second")
        future: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        entry = events, future
        self._waiting.append(entry)
        self._count += len(events)
        if self._task is None or self._task.done():
            # It writes for all: what it logs is not of the request that happens to come first.
            self._task = asyncio.create_task(self._drain(), context=Context())
        try:
            async with asyncio.timeout(self._deadline):
                return await future
        except TimeoutError:
            self._give_up(entry)
            raise UnavailableError("the store takes too long to write; try again in a second") from None

    async def _drain(self) -> None:
        while self._waiting:
            group = self._next_group()
            together = [event for events, _ in group for event in events]
            try:
                outcomes = await self._commit(together)
            except Exception as error:
                _fail(group, error)
                continue
            except BaseException:
                # No task is left to write what waits, either.
                _fail([*group, *self._waiting], OverloadedError("shutting down"))
                self._waiting, self._count = [], 0
                raise
            start = 0
            for events, future in group:
                if not future.done():
                    future.set_result(outcomes[start : start + len(events)])
                start += len(events)

    def _give_up(self, entry: _Entry) -> None:
        if entry in self._waiting:
            self._waiting.remove(entry)
            self._count -= len(entry[0])

    def _next_group(self) -> list[_Entry]:
        group: list[_Entry] = []
        size = 0
        while self._waiting and (not group or size + len(self._waiting[0][0]) <= _MOST_IN_GROUP):
            entry = self._waiting.pop(0)
            group.append(entry)
            size += len(entry[0])
        self._count -= size
        return group


def _fail(group: Sequence[_Entry], error: Exception) -> None:
    for _, future in group:
        if not future.done():
            future.set_exception(error)
