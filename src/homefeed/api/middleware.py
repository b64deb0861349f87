"""Plain ASGI middleware: hosts, request ids, limits on bodies, ids with slashes in paths, metrics."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from urllib.parse import quote, unquote

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from homefeed.api.access_log import AccessLog
from homefeed.api.errors import problem, unexpected
from homefeed.api.hosts import Hosts
from homefeed.api.metrics import ANSWERED, Metrics
from homefeed.api.overload import Door
from homefeed.serving.fair_lock import TOO_MANY

_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_UNLIMITED = "unlimited_body"
_MOST_PARAMETERS = 100
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")


def allow_any_length(request: Request) -> None:
    """Lift the limit on the body of a request that is read as a stream."""
    request.scope["state"][_UNLIMITED] = True


class RequestMiddleware:
    """Gives every request an id, routes it by its still encoded path, limits its body, and times it.

    A request that asks for another host is not answered.
    """

    def __init__(
        self,
        app: ASGIApp,
        new_id: Callable[[], str],
        hosts: Hosts,
        max_body: int,
        metrics: Metrics,
        door: Door,
        access: AccessLog,
    ) -> None:
        self._app, self._new_id, self._hosts, self._max_body, self._metrics = app, new_id, hosts, max_body, metrics
        self._door, self._access = door, access
        self._observe: dict[tuple[str, str, int], Callable[[float], None]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0
        given, announced, host = _id_length_host(scope)
        request_id = given if _REQUEST_ID.fullmatch(given) else self._new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        bind_contextvars(request_id=request_id)
        feeds = list[tuple[str, str]]()
        ANSWERED.set(feeds)

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = (b"x-request-id", request_id.encode()), _NO_SNIFFING
                message["headers"] = [*message["headers"], *own]
            await send(message)

        try:
            refusal = self._refusal(scope, host)
            if refusal is None:
                await self._app(scope, _limited(scope, receive, self._max_body, announced), send_with_id)
            else:
                await problem(*refusal, request_id)(scope, receive, send_with_id)
        except ClientDisconnect:
            status = status or 400
        except asyncio.CancelledError:
            # The server ends, and has waited for this request as long as it may.
            if status:
                raise
            await problem(503, "the server is stopping; send the request again", request_id)(
                scope, receive, send_with_id
            )
        except Exception as error:
            # Answered here, so that it has its id and the connection stays open.
            if status:
                raise
            await unexpected(scope, error, request_id)(scope, receive, send_with_id)
        finally:
            took = time.perf_counter() - started
            self._take_time(scope, status or 500, took)
            for of_feed in feeds:
                self._metrics.feeds.note(of_feed, (took,))

    def _refusal(self, scope: Scope, host: str) -> tuple[int, str] | None:
        """The status and the reason with which a request is refused before it is read; None where it is not."""
        if self._door.refuses(scope):
            return 503, TOO_MANY
        if not self._hosts.admit(host):
            return 421, _not_ours(host)
        if scope["query_string"].count(b"&") >= _MOST_PARAMETERS:
            return 422, f"more than {_MOST_PARAMETERS} query parameters; send fewer"
        return None if _route_encoded(scope) else (400, "the path is not UTF-8")

    def _take_time(self, scope: Scope, status: int, seconds: float) -> None:
        labels = getattr(scope.get("route"), "path_format", "other"), scope["method"], status
        observe = self._observe.get(labels)
        if observe is None:
            route, method, _ = labels
            observe = self._metrics.requests.labels(route, method, str(status)).observe
            self._observe[labels] = observe
        observe(seconds)
        if self._access.is_on:
            self._access.note(scope, labels[0], status, seconds)


def _id_length_host(scope: Scope) -> tuple[str, int, str]:
    """The id, the length of the body and the host that a request declares; empty and 0 without them."""
    request_id, length, host = "", "", ""
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            request_id = request_id or value.decode("latin-1")
        elif name == b"content-length":
            length = length or value.decode("latin-1")
        elif name == b"host":
            host = host or value.decode("latin-1")
    return request_id, int(length[:20]) if length.isdecimal() else 0, host


def _not_ours(host: str) -> str:
    return (
        f'this server does not answer for the host "{host:.255}"; where it should, add the name to the setting '
        "allowed_hosts (HOMEFEED_ALLOWED_HOSTS)"
    )


def _route_encoded(scope: Scope) -> bool:
    """Have the request routed by its path as it was sent; False where that is not UTF-8."""
    raw: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    try:
        path = raw.decode()
        if "%" in path:
            unquote(path, errors="strict")
    except UnicodeDecodeError:
        return False
    scope["path"] = path
    return True


def _limited(scope: Scope, receive: Receive, max_body: int, announced: int) -> Receive:
    """`receive` for a body of at most `max_body` bytes, of which the headers announced some."""
    received = 0

    def check(size: int) -> None:
        if size > max_body and not scope["state"].get(_UNLIMITED):
            raise HTTPException(413, f"the body is larger than {max_body} bytes; send less at a time, or NDJSON")

    async def limited() -> Message:
        nonlocal received
        check(announced)
        message = await receive()
        received += len(message.get("body", b""))
        check(received)
        return message

    return limited
