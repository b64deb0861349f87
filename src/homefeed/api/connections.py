"""Connections: how long a client may take for its part, and how many clients there may be.

uvicorn waits for the rest of a request, and for an answer to be read, for as long as that takes, and sets no bound
to a request's head. Its `limit_concurrency` counts clients that send nothing, too, and then refuses all others.
Here each client has a deadline for its part, and of too many connections those go that were silent for longest.
"""

from __future__ import annotations

from asyncio import TimerHandle, Transport
from collections.abc import Callable
from dataclasses import dataclass
from heapq import nsmallest
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from homefeed.api.errors import problem
from homefeed.environment import random_id

_BYTES_A_SECOND: Final = 500
_LONGEST_HEAD: Final = 65_536
_STOPPING_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections there may be, and for how many seconds each is waited for."""

    connections: int
    seconds: float


class Connection(HttpToolsProtocol):
    """A connection that is waited for only so long.

    A request has `limits.seconds` to arrive from its first byte on, and a second more for every 500 bytes; an
    answer may lie unread for as long.
    """

    def __init__(self, limits: Limits, new_id: Callable[[], str] = random_id, **given: Any) -> None:
        super().__init__(**given)
        self._limits, self._new_id = limits, new_id
        self._arriving: TimerHandle | None = None
        self._unread: TimerHandle | None = None
        self._message: object = None
        self._since = self._heard = self.loop.time()
        self._received = self._beside_body = 0
        self._brought_body = False

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Wait for a request; where there are too many connections, make room."""
        super().connection_made(transport)
        self._arriving = self.loop.call_later(self._limits.seconds, self._check_arrival)
        if len(self.connections) > self._limits.connections:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        for timer in (self._arriving, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request; wait for the rest where that was not all."""
        self._heard, self._brought_body = self.loop.time(), False
        super().data_received(data)
        cycle = self.cycle
        if cycle is None or cycle.more_body or cycle.response_complete or "method" not in self.scope:
            self._take_part(len(data))
        elif self._arriving is not None:
            self._arriving.cancel()
            self._arriving = None

    def on_body(self, body: bytes) -> None:
        """Take a part of a body."""
        self._brought_body = True
        super().on_body(body)

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def timeout_keep_alive_handler(self) -> None:
        """Close; what is still unread has its deadline."""
        super().timeout_keep_alive_handler()
        self._await_reader()

    def shutdown(self) -> None:
        """End with the answer to the present request; what has not arrived in a moment is not waited for."""
        super().shutdown()
        if self._owes and not self.transport.is_closing():
            self.loop.call_later(_STOPPING_SECONDS, self._stop)

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP."""
        self._answer(400, msg)
        self.transport.close()

    @property
    def _owes(self) -> bool:
        """Whether it is the client's turn: there is no request, or its body is not all there."""
        cycle = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body

    @property
    def _head_is_half(self) -> bool:
        return self.scope is not None and "method" not in self.scope

    def _take_part(self, size: int) -> None:
        if self.transport.is_closing():
            return
        if self.scope is self._message:
            self._received += size
            self._beside_body = 0 if self._brought_body else self._beside_body + size
        else:
            self._message, self._since, self._received, self._beside_body = self.scope, self._heard, 0, 0
        if self._beside_body > _LONGEST_HEAD:
            self._give_up(
                431, "too large", f"more than {_LONGEST_HEAD} bytes of headers; send fewer or shorter ones"
            )
        elif self._arriving is None:
            self._arriving = self.loop.call_later(self._limits.seconds, self._check_arrival)

    def _check_arrival(self) -> None:
        self._arriving = None
        if self.transport.is_closing() or not self._owes:
            return
        now = self.loop.time()
        due = self._since + self._limits.seconds + self._received / _BYTES_A_SECOND
        if self.flow.read_paused:  # it is the server that cannot take more
            due = now + self._limits.seconds
        if now < due:
            self._arriving = self.loop.call_at(due, self._check_arrival)
        else:
            self._give_up(408, "late", "the request did not arrive in time; send it again, and faster")

    def _await_reader(self) -> None:
        left = self.transport.get_write_buffer_size()
        if left and self._unread is None:
            self._unread = self.loop.call_later(self._limits.seconds, self._check_reader, left)

    def _check_reader(self, before: int) -> None:
        self._unread = None
        if self.transport.get_write_buffer_size() < before:
            self._await_reader()
        else:
            self._count("unread")
            self.transport.abort()

    def _make_room(self) -> None:
        """Close a few of the connections that were silent for longest; this one where all others are at work."""
        silent = [one for one in self.connections if isinstance(one, Connection) and one._owes and one is not self]
        detail = f"more than {self._limits.connections} connections; try again in a second"
        for one in nsmallest(1 + self._limits.connections // 32, silent, key=lambda one: one._heard):
            one._give_up(503, "crowded", detail)
            self.connections.discard(one)
        if not silent:
            self._count("crowded")
            self._answer(503, detail)
            self.transport.close()

    def _stop(self) -> None:
        if self._owes and not self.transport.is_closing():
            self._give_up(503, "stopping", "the server is stopping; send the request again")

    def _give_up(self, status: int, reason: str, detail: str) -> None:
        """Close the connection; the client is told why where it has sent a part of a request."""
        self._count(reason)
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            if self._head_is_half:
                self._answer(status, detail)
        elif cycle.more_body:
            if not cycle.response_started and not self.pipeline:
                self._answer(status, detail)
            cycle.disconnected = True
            cycle.message_event.set()
        else:  # the answer to an earlier request comes first, and is the last
            cycle.keep_alive = False
            self.flow.pause_reading()
            return
        if self.transport.is_closing():  # and what it had to say is not read
            self.transport.abort()
        self.transport.close()

    def _count(self, reason: str) -> None:
        self.app_state["metrics"].closed.labels(reason).inc()

    def _answer(self, status: int, detail: str) -> None:
        state = {} if self.scope is None else self.scope["state"]
        request_id = state.get("request_id") or self._new_id()
        response = problem(status, detail, request_id)
        headers = [
            *self.server_state.default_headers,
            *response.raw_headers,
            (b"x-request-id", request_id.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"connection", b"close"),
        ]
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(STATUS_LINE[status] + lines + b"\r\n" + bytes(response.body))
