"""SQLite's driver, able to run brief statements where they are called: on the event loop's own thread."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import aiosqlite

BEGIN_WRITING: Final = "BEGIN IMMEDIATE"
"""Begins a transaction that writes: it waits for other processes that write."""


class InlineConnection(aiosqlite.Connection):
    """A connection whose statements run in its thread or, while `inline`, where they are called.

    In the thread each statement waits for turns of the event loop, and each row for Python's lock. What waits for
    the disk or, until `give_up` on the monotonic clock, for another process does so in the thread always.
    """

    inline = False
    give_up = 0.0

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if args[:1] == (BEGIN_WRITING,):
            return await self._begin(partial(fn, *args))
        if self.inline and fn.__name__ != "commit":
            return fn(*args, **kwargs)
        return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]

    async def _begin(self, begin: Callable[[], Any]) -> Any:
        self._conn.execute("PRAGMA busy_timeout = 0")
        try:
            return begin()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
        left = max(round((self.give_up - time.monotonic()) * 1000), 0)
        self._conn.execute(f"PRAGMA busy_timeout = {left}")
        return await super()._execute(begin)  # type: ignore[no-untyped-call]


def connect_inline(file: str, **options: Any) -> InlineConnection:
    """A connection yet to be opened, as SQLAlchemy makes them."""
    made = InlineConnection(partial(sqlite3.connect, file, **options | {"check_same_thread": False}), 64)
    made._thread.daemon = True  # as SQLAlchemy has it: it keeps no process from ending
    return made
