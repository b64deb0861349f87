"""The access log: a line a request, which names nobody that the path or the query names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
import structlog

from homefeed.api.access_log import AccessLog
from homefeed.api.hosts import Hosts
from homefeed.api.metrics import Metrics
from homefeed.api.middleware import RequestMiddleware
from homefeed.api.overload import Door
from homefeed.log import configure_logging
from homefeed.principals import REFUSED, STATE, Principal
from homefeed.serving.fair_lock import FairLock


async def request(access: AccessLog) -> None:
    async def app(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        scope["route"] = SimpleNamespace(path_format="/v1/apps/{app}/users/{user_id}")
        scope["state"][STATE] = Principal("k1", "read")
        structlog.get_logger("part").warning("within")
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        return None

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/apps/films/users/secret-user",
        "raw_path": b"/v1/apps/films/users/secret-user",
        "query_string": b"user_id=secret-user",
        "headers": [(b"host", b"localhost"), (b"x-request-id", b"r1"), (b"authorization", b"Bearer secret-key")],
    }
    hosts = Hosts("127.0.0.1", ())
    await RequestMiddleware(app, lambda: "new", hosts, 1_000, Metrics(), Door(FairLock()), access)(
        scope, receive, send
    )


@pytest.mark.parametrize(("level", "asked_for"), [("debug", False), ("info", True)])
async def test_a_line_tells_of_the_request_and_names_nobody(
    capsys: pytest.CaptureFixture[str], level: str, asked_for: bool
) -> None:
    configure_logging(level, "json")
    await request(AccessLog(asked_for))
    text = capsys.readouterr().err
    within, line = map(orjson.loads, text.splitlines())
    assert (within["event"], within["request_id"]) == ("within", "r1")
    assert line["ms"] >= 0
    assert {name: line[name] for name in ("event", "request_id", "method", "route", "status", "principal")} == {
        "event": "request",
        "request_id": "r1",
        "method": "GET",
        "route": "/v1/apps/{app}/users/{user_id}",
        "status": 200,
        "principal": "k1",
    }
    assert "secret" not in text


async def test_a_line_of_a_refused_request_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    state = {STATE: Principal("k1", "read"), REFUSED: "this needs the right admin"}
    scope = {"method": "GET", "state": state}
    AccessLog(True).note(scope, "/v1/apps/{app}/users/{user_id}/export", 403, 0.001)
    line = orjson.loads(capsys.readouterr().err)
    assert (line["principal"], line["why"]) == ("k1", "this needs the right admin")


async def test_it_is_off_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info", "json")
    await request(AccessLog(False))
    assert '"request"' not in capsys.readouterr().err
