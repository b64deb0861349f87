"""Plain ASGI middleware: request ids, limits on bodies, ids with slashes in paths, metrics."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from urllib.parse import quote, unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from homefeed.api.errors import problem, unexpected
from homefeed.api.metrics import Metrics

_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_UNLIMITED = "unlimited_body"


def allow_any_length(request: Request) -> None:
    """Lift the limit on the body of a request that is read as a stream."""
    request.scope["state"][_UNLIMITED] = True


class RequestMiddleware:
    """Gives every request an id, routes it by its still encoded path, limits its body, and times it."""

    def __init__(self, app: ASGIApp, new_id: Callable[[], str], max_body: int, metrics: Metrics) -> None:
        self._app, self._new_id, self._max_body, self._metrics = app, new_id, max_body, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else self._new_id()
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            if _route_encoded(scope):
                await self._app(scope, _limited(scope, receive, self._max_body), send_with_id)
            else:
                await problem(400, "the path is not UTF-8", request_id)(scope, receive, send_with_id)
        except ClientDisconnect:
            status = status or 400
        except Exception as error:
            # Answered here, so that it has its id and the connection stays open.
            if status:
                raise
            await (await unexpected(scope, error, request_id))(scope, receive, send_with_id)
        finally:
            route = getattr(scope.get("route"), "path_format", "other")
            self._metrics.requests.labels(route, scope["method"], str(status or 500)).observe(
                time.perf_counter() - started
            )


def _route_encoded(scope: Scope) -> bool:
    """Have the request routed by its path as it was sent; False where that is not UTF-8."""
    raw = scope.get("raw_path") or quote(scope["path"]).encode()
    try:
        path = raw.decode()
        unquote(path, errors="strict")
    except UnicodeDecodeError:
        return False
    scope["path"] = path
    return True


def _limited(scope: Scope, receive: Receive, most: int) -> Receive:
    received = 0
    length = Headers(scope=scope).get("content-length", "")
    announced = int(length[:20]) if length.isdecimal() else 0

    def check(size: int) -> None:
        if size > most and not scope["state"].get(_UNLIMITED):
            raise HTTPException(413, f"the body is larger than {most} bytes; send less at a time, or NDJSON")

    async def limited() -> Message:
        nonlocal received
        check(announced)
        message = await receive()
        received += len(message.get("body", b""))
        check(received)
        return message

    return limited
