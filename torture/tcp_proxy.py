"""A TCP proxy of the trials' own: what goes through it can be slowed, stalled, cut and refused."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from torture.servers import HOST, free_port

_CHUNK = 65_536


class TcpProxy:
    """Passes bytes both ways between a port of its own and another. Its methods are for other threads."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target, self._delay, self._refuses = target, 0.0, False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop
        self._passing, self._ending = asyncio.Event(), asyncio.Event()
        self._passing.set()

    def slow(self, seconds: float) -> None:
        """Hold back whatever comes, either way, for so long."""
        self._delay = seconds

    def stall(self) -> None:
        """Take connections, and pass nothing on, as behind a cut cable."""
        self._do(self._passing.clear)

    def cut(self) -> None:
        """Reset every connection, and each new one, as a server that restarts."""
        self._refuses = True
        self._do(self._reset)

    def heal(self) -> None:
        """Pass everything on, at once."""
        self._delay, self._refuses = 0.0, False
        self._do(self._passing.set)

    def _do(self, what: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(what)

    def _reset(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _run(self, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._serve, HOST, self.port)
        started.set()
        await self._ending.wait()
        self._reset()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            if self._refuses:
                writer.transport.abort()
                return
            with suppress(OSError, asyncio.CancelledError):  # cancelled when the proxy ends
                inward, outward = await asyncio.open_connection(HOST, self._target)
                self._writers.add(outward)
                try:
                    await asyncio.gather(self._pass(reader, outward), self._pass(inward, writer))
                finally:
                    self._writers.discard(outward)
        finally:
            self._writers.discard(writer)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                await self._passing.wait()
                if self._delay:
                    await asyncio.sleep(self._delay)
                writer.write(data)
                await writer.drain()
        writer.close()

    @classmethod
    @contextmanager
    def before(cls, target: int) -> Iterator[TcpProxy]:
        """One that runs, in a thread of its own."""
        proxy, started = cls(target), threading.Event()
        thread = threading.Thread(target=asyncio.run, args=(proxy._run(started),))
        thread.start()
        started.wait()
        try:
            yield proxy
        finally:
            proxy.heal()
            proxy._do(proxy._ending.set)
            thread.join()
