"""Batches prepared in the background, and word of how far a file has come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from typing import TypeAlias, TypeVar

from homefeed.ingest.table import Batch, Table

T = TypeVar("T")

Progress: TypeAlias = Callable[[str, int, int], None]
"""Told the stage (users, items or events), how far it has come, and how far it goes."""


@asynccontextmanager
async def prepared(table: Table, prepare: Callable[[Batch], T]) -> AsyncIterator[AsyncIterator[T]]:
    """All batches of a table after `prepare`, each made in a thread while the one before it is being used."""
    batches = _prepared(table, prepare)
    loop = asyncio.get_running_loop()
    # One thread for all: memory that several threads take in turns is given back late.
    with ThreadPoolExecutor(1, "homefeed-ingest") as worker, closing(batches):
        waiting: list[asyncio.Future[T | None]] = []

        def start_next() -> None:
            waiting.append(loop.run_in_executor(worker, next, batches, None))

        async def ahead() -> AsyncIterator[T]:
            start_next()
            while (batch := await waiting.pop()) is not None:
                start_next()
                yield batch

        try:
            yield ahead()
        finally:
            if waiting:
                await asyncio.wait(waiting)
                waiting.pop().exception()


def _prepared(table: Table, prepare: Callable[[Batch], T]) -> Generator[T]:
    with closing(table.batches()) as batches:
        for batch in batches:
            yield prepare(batch)
