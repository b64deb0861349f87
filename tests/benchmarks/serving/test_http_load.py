"""The load generator against a server that is known: what it sends, counts, times and reports as failed."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from benchmarks.serving.http_load import Connection, Outcome, closed_loop, get, open_loop, post, quantiles

Answer = Callable[[bytes], Awaitable[bytes]]


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


async def path_ten_times(head: bytes) -> bytes:
    return ok(head.split()[1] * 10)


async def slowly(_: bytes) -> bytes:
    await asyncio.sleep(0.02)
    return ok(b"x")


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server's port, and what it was sent; an empty answer closes the connection."""
    received: list[bytes] = []
    tasks: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        while head := await reader.read(65_536):
            received.append(head)
            reply = await answer(head)
            # In two parts, as a network delivers it.
            for part in (reply[:20], reply[20:]):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
            if not reply:
                break
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], received
    await asyncio.gather(*filter(None, tasks))


async def test_every_request_is_sent_once_and_answered_in_full() -> None:
    async with serving(path_ten_times) as (port, received):
        requests = [get(f"/{number}") for number in range(20)]
        done = await closed_loop(port, requests, connections=3, keep_bodies=True)
    assert sorted(head.split()[1] for head in received) == sorted(f"/{n}".encode() for n in range(20))
    assert sorted(done.bodies) == sorted(f"/{n}".encode() * 10 for n in range(20))
    assert (done.count, done.failed, done.received) == (20, 0, sum(map(len, done.bodies)))
    assert done.per_second == pytest.approx(20 / done.wall)


async def test_a_closed_loop_ends_in_time_and_waits_for_each_answer() -> None:
    async with serving(slowly) as (port, _):
        done = await closed_loop(port, itertools.repeat(get("/")), connections=2, seconds=0.2)
    assert 0.2 <= done.wall < 1
    assert 2 <= done.count <= 2 * (0.2 / 0.02 + 1)
    assert done.quantiles()["p50_ms"] >= 20


async def test_other_statuses_are_failures() -> None:
    replies = itertools.cycle([ok(b""), b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n"])

    async def every_other(_: bytes) -> bytes:
        return next(replies)

    async with serving(every_other) as (port, _):
        done = await closed_loop(port, [get("/")] * 10, connections=1)
    assert (done.count, done.failed) == (10, 5)


async def test_a_connection_that_the_server_closes_is_an_error() -> None:
    async def nothing(_: bytes) -> bytes:
        return b""

    async with serving(nothing) as (port, _):
        connection = await Connection.open(port)
        with pytest.raises(ConnectionError):
            await connection.send(get("/").data)
        assert not connection.is_open


async def test_an_open_loop_counts_the_wait_for_a_busy_server() -> None:
    busy = asyncio.Lock()

    async def one_at_a_time(_: bytes) -> bytes:
        async with busy:
            await asyncio.sleep(0.05)
        return ok(b"x")

    async with serving(one_at_a_time) as (port, _):
        done = await open_loop(port, [(0.01 * n, get("/")) for n in range(5)])
    assert done.count == 5
    assert max(done.seconds["page"]) >= 5 * 0.05 - 0.01 * 4 - 0.01


async def test_an_open_loop_sends_what_is_due_when_it_is_due_under_its_name() -> None:
    async with serving(path_ten_times) as (port, received):
        done = await open_loop(port, [(0.0, get("/a", "read")), (0.1, post("/b", b'{"x":1}', "write"))])
    assert done.wall >= 0.1
    assert {name: len(seconds) for name, seconds in done.seconds.items()} == {"read": 1, "write": 1}
    assert received[1].startswith(b"POST /b HTTP/1.1\r\n")
    assert received[1].endswith(b'Content-Length: 7\r\n\r\n{"x":1}')


def test_quantiles_are_milliseconds() -> None:
    assert quantiles([0.001 * n for n in range(101)]) == {"p50_ms": 50.0, "p95_ms": 95.0, "p99_ms": 99.0}
    assert quantiles([]) == {}
    assert Outcome({"a": [0.001], "b": [0.003]}).quantiles()["p50_ms"] == 2.0
