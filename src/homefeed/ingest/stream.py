"""Batches prepared in the background, and word of how far a file has come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
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
    loop = asyncio.get_running_loop()
    # One thread for all: memory that several threads take in turns is given back late.
    with closing(_prepared(table, prepare)) as batches, ThreadPoolExecutor(1, "homefeed-ingest") as worker:
        coming = loop.run_in_executor(worker, next, batches, None)

        async def ahead() -> AsyncGenerator[T]:
            nonlocal coming
            while (batch := await coming) is not None:
                coming = loop.run_in_executor(worker, next, batches, None)
                yield batch

        stream = ahead()
        try:
            yield stream
        finally:
            await stream.aclose()
            if coming.done() and not coming.cancelled():
                coming.exception()  # it is not to be reported as forgotten


def _prepared(table: Table, prepare: Callable[[Batch], T]) -> Generator[T]:
    with closing(table.batches()) as batches:
        for batch in batches:
            yield prepare(batch)
