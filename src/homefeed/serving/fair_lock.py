"""A lock that lets one request compute in each turn of the event loop."""

from __future__ import annotations

import asyncio


class FairLock:
    """`async with` this: one request computes in each turn of the event loop, however many are ready.

    What waits for the store needs many turns of it: it would wait for all that is ready in every one.
    """

    def __init__(self) -> None:
        self._one = asyncio.Lock()

    async def __aenter__(self) -> None:
        await self._one.acquire()
        try:
            await asyncio.sleep(0)
        except BaseException:
            self._one.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._one.release()
