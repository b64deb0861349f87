"""Batches prepared in the background, and the progress within a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from typing import TypeAlias, TypeVar

from homefeed.ingest.table import Batch, Table

T = TypeVar("T")

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the stage (users, items or events), how much of it is done, and its total."""


@asynccontextmanager
async def prepared(table: Table, prepare: Callable[[Batch], T]) -> AsyncIterator[AsyncIterator[T]]:
    """All batches of a table after `prepare`, each made in a thread while the one before it is being used."""
    loop = asyncio.get_running_loop()
    # One thread for all: memory that several threads allocate in turn is released late.
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
                coming.exception()  # else asyncio reports it as never retrieved


def _prepared(table: Table, prepare: Callable[[Batch], T]) -> Generator[T]:
    with closing(table.batches()) as batches:
        for batch in batches:
            yield prepare(batch)
