"""A load generator for HTTP/1.1: closed and open loops over keep-alive connections, cheap beside the server."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import httptools
import numpy as np
import uvloop

_HOST = "127.0.0.1"


class Response(NamedTuple):
    """What the server answered."""

    status: int
    body: bytes


class Request(NamedTuple):
    """The bytes to send, and under which name its time is recorded."""

    name: str
    data: bytes


@dataclass
class Outcome:
    """What became of a phase of load. `seconds` holds the time of each request, by the name of the request."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    failed: int = 0
    received: int = 0
    wall: float = 0.0
    client_cpu: float = 0.0
    bodies: list[bytes] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many requests were answered."""
        return sum(map(len, self.seconds.values()))

    @property
    def per_second(self) -> float:
        """Answered requests a second."""
        return self.count / self.wall if self.wall else 0.0

    def quantiles(self) -> dict[str, float]:
        """Milliseconds of all requests."""
        return quantiles([one for each in self.seconds.values() for one in each])


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """The p50, p95 and p99 of times, in milliseconds; nothing of none."""
    if not seconds:
        return {}
    p50, p95, p99 = np.percentile(seconds, (50, 95, 99)) * 1e3
    return {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2), "p99_ms": round(float(p99), 2)}


class Connection(asyncio.Protocol):
    """One keep-alive connection, one request at a time."""

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.WriteTransport | None = None
        self._body: list[bytes] = []
        self._lost = asyncio.Event()
        self._response: asyncio.Future[Response] | None = None

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect to a server of this machine."""
        return (await asyncio.get_running_loop().create_connection(cls, _HOST, port))[1]

    def send(self, data: bytes) -> asyncio.Future[Response]:
        """Send a request; the future holds its response.

        Raises:
            ConnectionError: from the future, where the server closes the connection instead.
        """
        assert self._transport is not None
        self._response = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        return self._response

    async def close(self) -> None:
        """Close it."""
        if self._transport is not None:
            self._transport.close()
        await self._lost.wait()

    @property
    def is_open(self) -> bool:
        """Whether neither side closed it."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's are of no class of asyncio

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._transport = None
        self._lost.set()
        if self._response is not None and not self._response.done():
            self._response.set_exception(exc or ConnectionError("the server closed the connection"))

    def on_body(self, body: bytes) -> None:
        """Called by the parser."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Called by the parser."""
        body, self._body = b"".join(self._body), []
        if self._response is not None and not self._response.done():
            self._response.set_result(Response(self._parser.get_status_code(), body))


def get(path: str, name: str = "page") -> Request:
    """A GET request."""
    return Request(name, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())


def post(path: str, body: bytes, name: str) -> Request:
    """A POST request of JSON."""
    return _sent("POST", path, body, name)


def put(path: str, body: bytes, name: str) -> Request:
    """A PUT request of JSON."""
    return _sent("PUT", path, body, name)


def _sent(method: str, path: str, body: bytes, name: str) -> Request:
    head = f"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return Request(name, f"{method} {path} HTTP/1.1\r\n{head}\r\n\r\n".encode() + body)


async def closed_loop(
    port: int, requests: Iterable[Request], connections: int, seconds: float = np.inf, keep_bodies: bool = False
) -> Outcome:
    """Each connection sends its next request when the last is answered, until time or requests run out."""
    outcome, queue = Outcome(), iter(requests)
    opened = [await Connection.open(port) for _ in range(connections)]
    cpu, start = time.process_time(), time.perf_counter()

    async def work(connection: Connection) -> None:
        while time.perf_counter() < start + seconds and (request := next(queue, None)) is not None:
            began = time.perf_counter()
            response = await connection.send(request.data)
            _record(outcome, request, response, time.perf_counter() - began)
            if keep_bodies:
                outcome.bodies.append(response.body)

    try:
        await asyncio.gather(*map(work, opened))
    finally:
        for connection in opened:
            await connection.close()
    outcome.wall, outcome.client_cpu = time.perf_counter() - start, time.process_time() - cpu
    return outcome


async def open_loop(port: int, timetable: Iterable[tuple[float, Request]], by_status: bool = False) -> Outcome:
    """Send each request when it is due, in seconds from now, whatever the server does.

    There are as many connections as that takes. A request's time runs from the moment at which it was due until
    its last byte, so that waiting for a busy server counts (no coordinated omission). `by_status` keeps the times
    of a name by its statuses, as `page 200`.
    """
    outcome, idle = Outcome(), list[Connection]()
    cpu, start = time.process_time(), time.perf_counter()

    async def send(due: float, request: Request) -> None:
        while idle and not idle[-1].is_open:  # the server closes what was idle for a while
            idle.pop()
        try:
            connection = idle.pop() if idle else await Connection.open(port)
            response = await connection.send(request.data)
        except ConnectionError:  # the server has more than it can take
            outcome.failed += 1
            return
        if by_status:
            request = request._replace(name=f"{request.name} {response.status}")
        _record(outcome, request, response, time.perf_counter() - due)
        idle.append(connection)

    async with asyncio.TaskGroup() as tasks:
        for due, request in timetable:
            await asyncio.sleep(max(start + due - time.perf_counter(), 0))
            tasks.create_task(send(start + due, request))
    for connection in idle:
        await connection.close()
    outcome.wall, outcome.client_cpu = time.perf_counter() - start, time.process_time() - cpu
    return outcome


def undisturbed(start: Callable[[], Awaitable[Outcome]]) -> Outcome:
    """Run a loop without a pause of the client's own, which would be taken for the server's."""

    async def run() -> Outcome:
        return await start()

    gc.disable()
    try:
        return uvloop.run(run())
    finally:
        gc.enable()


def _record(outcome: Outcome, request: Request, response: Response, seconds: float) -> None:
    outcome.seconds.setdefault(request.name, []).append(seconds)
    outcome.received += len(response.body)
    outcome.failed += response.status != 200
