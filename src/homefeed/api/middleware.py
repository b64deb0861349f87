"""Plain ASGI middleware: request ids, limits on bodies, ids with slashes in paths, metrics."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from urllib.parse import unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from homefeed.api.errors import problem
from homefeed.api.metrics import Metrics

_REQUEST_ID = re.compile(r"[!-~]{1,128}")
_UNLIMITED = "application/x-ndjson"


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
        started, status = time.perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        try:
            refusal = self._refusal(scope, headers)
            if refusal is not None:
                await problem(*refusal, request_id)(scope, receive, send_with_id)
            elif headers.get("content-type", "").startswith(_UNLIMITED):
                await self._app(scope, receive, send_with_id)
            else:
                await self._app(scope, _limited(receive, self._max_body), send_with_id)
        finally:
            route = getattr(scope.get("route"), "path_format", "other")
            self._metrics.requests.labels(route, scope["method"], str(status)).observe(
                time.perf_counter() - started
            )

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        try:
            unquote(path, errors="strict")
        except UnicodeDecodeError:
            return 400, "the path is not UTF-8"
        scope["path"] = path
        length = headers.get("content-length", "0")
        unlimited = headers.get("content-type", "").startswith(_UNLIMITED)
        if not unlimited and length.isdecimal() and int(length) > self._max_body:
            return 413, f"the body is larger than {self._max_body} bytes; send less at a time, or NDJSON"
        return None


def _limited(receive: Receive, most: int) -> Receive:
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise HTTPException(413, f"the body is larger than {most} bytes; send less at a time, or NDJSON")
        return message

    return limited
