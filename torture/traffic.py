"""Clients that ask and tell without pause, and keep account of every answer."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import httptools
import orjson

from benchmarks.serving.http_load import Connection, Request, Response, get, post

LONGEST_SECONDS: Final = 30.0
_REQUESTS_A_CONNECTION: Final = 500


@dataclass
class Traffic:
    """Each connection tells an event, asks for its user's feed, and checks that this knows of the event.

    `pause` is for how many seconds each waits after an answer.
    """

    port: int
    connections: int = 8
    pause: float = 0.0
    prefix: str = "t"
    items: int = 300
    acknowledged: list[str] = field(default_factory=list)
    answered: int = 0
    slowest: float = 0.0
    failed: Counter[str] = field(default_factory=Counter)
    moments: list[float] = field(default_factory=list)
    _stopping: bool = False
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def __aenter__(self) -> Traffic:
        self._tasks = [asyncio.create_task(self._work(number)) for number in range(self.connections)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        await asyncio.gather(*self._tasks)

    async def _work(self, number: int) -> None:
        client = Client(self.port)
        for turn in itertools.count():
            if self._stopping:
                break
            user, event = f"{self.prefix}{number}-{turn % 50}", f"{self.prefix}{number}-{turn}"
            told = await self._ask(client, event_request(user, f"i{turn % self.items + 1}", event))
            if told is not None:
                self.acknowledged.append(event)
            shown = await self._ask(client, get(f"/v1/apps/streaming/feeds/home?user_id={user}&n=10"))
            if told is not None and shown is not None and shown["cold_start"]:
                self.failed["the next answer does not know the event"] += 1
            if self.pause:
                await asyncio.sleep(self.pause)
        await client.close()

    async def _ask(self, client: Client, request: Request) -> Any:
        began = time.monotonic()
        try:
            response = await client.send(request)
        except (OSError, TimeoutError, httptools.HttpParserError) as error:
            self.failed[f"{request.name}: {type(error).__name__}"] += 1
            self.moments.append(time.monotonic())
            return None
        self.slowest = max(self.slowest, time.monotonic() - began)
        if response.status != 200:
            self.failed[f"{request.name}: {response.status}"] += 1
            self.moments.append(time.monotonic())
            return None
        self.answered += 1
        return orjson.loads(response.body)


class Client:
    """One connection at a time, opened anew where the other side closed it."""

    def __init__(self, port: int) -> None:
        self._port, self._sent = port, 0
        self._connection: Connection | None = None

    async def send(self, request: Request) -> Response:
        """Send a request and wait for its answer.

        Raises:
            OSError, TimeoutError: there is none.
        """
        if self._connection is None or not self._connection.is_open or self._sent >= _REQUESTS_A_CONNECTION:
            await self.close()
            self._connection, self._sent = await Connection.open(self._port), 0
        self._sent += 1
        try:
            return await asyncio.wait_for(self._connection.send(request.data), LONGEST_SECONDS)
        except (OSError, TimeoutError):
            await self.close()
            raise

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()


def event_request(user: str, item: str, event: str, **more: Any) -> Request:
    """A play with an id of its own."""
    body = {"user_id": user, "item_id": item, "event_type": "play", "value": 900, "event_id": event} | more
    return post("/v1/apps/streaming/events", orjson.dumps(body), "event")
