"""Under overload reads are refused at the door, and writes, health and metrics are not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from prometheus_client import CollectorRegistry

from homefeed.api.access_log import AccessLog
from homefeed.api.hosts import Hosts
from homefeed.api.metrics import Metrics
from homefeed.api.middleware import RequestMiddleware
from homefeed.api.overload import Door, Queues
from homefeed.serving.fair_lock import FairLock


class FullLock(FairLock):
    """A lock at which too many wait."""

    is_full = True


def scope_of(method: str, path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"x-request-id", b"r1")],
    }


async def answer_to(turns: FairLock, method: str, path: str) -> tuple[int, dict[bytes, bytes], bytes]:
    sent: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    hosts, access = Hosts("127.0.0.1", ()), AccessLog(False)
    middleware = RequestMiddleware(app, lambda: "new", hosts, 1_000, Metrics(), Door(turns), access)
    await middleware(scope_of(method, path), receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"]


@pytest.mark.parametrize(
    ("method", "path", "refused"),
    [
        ("GET", "/recommendations", True),
        ("HEAD", "/v1/apps/streaming/feeds/home", True),
        ("GET", "/healthz", False),
        ("GET", "/readyz", False),
        ("GET", "/metrics", False),
        ("GET", "/dashboard", False),
        ("POST", "/events", False),
        ("DELETE", "/v1/apps/streaming/users/u1", False),
    ],
)
async def test_only_reads_are_refused_at_the_door(method: str, path: str, refused: bool) -> None:
    turns = FullLock()
    status, headers, body = await answer_to(turns, method, path)
    assert status == (503 if refused else 200)
    assert turns.refused == refused
    if refused:
        assert headers[b"retry-after"] == b"1"
        assert headers[b"content-type"] == b"application/problem+json"
        assert orjson.loads(body)["request_id"] == "r1"


async def test_who_finds_room_is_let_in() -> None:
    assert (await answer_to(FairLock(), "GET", "/recommendations"))[0] == 200


def test_the_metrics_tell_of_the_turns() -> None:
    registry, turns = CollectorRegistry(), FairLock()
    Queues(registry).follow(turns, ())
    turns.refused = 3
    assert registry.get_sample_value("homefeed_requests_refused_total") == 3
    assert registry.get_sample_value("homefeed_queue_length", {"queue": "turns"}) == 0
    assert registry.get_sample_value("homefeed_turn_wait_seconds") == 0
