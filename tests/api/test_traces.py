"""Traces: what a receiver of OTLP over HTTP gets of a request and its stages."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from homefeed.api.traces import TraceMiddleware, open_traces
from homefeed.scope import OBSERVER, RequestScope

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SERVER, ERROR = 2, 2


@dataclass
class Receiver:
    """What was received: paths, headers, and all spans with the attributes of their resources."""

    url: str
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    spans: list[Any] = field(default_factory=list)
    resources: list[dict[str, str]] = field(default_factory=list)


def texts(attributes: Any) -> dict[str, Any]:
    return {one.key: one.value.string_value or one.value.int_value for one in attributes}


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            message = ExportTraceServiceRequest.FromString(body)
            received.paths.append(self.path)
            received.headers.append(dict(self.headers))
            for group in message.resource_spans:
                received.resources.append(texts(group.resource.attributes))
                received.spans += [span for scope in group.scope_spans for span in scope.spans]
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received = Receiver(f"http://127.0.0.1:{server.server_port}")
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with receiving() as received:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", received.url)
        yield received


async def serve(status: int = 200, error: Exception | None = None, **headers: str) -> None:
    """A request of a feed whose ranking takes a moment, within which something else does."""

    async def app(scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        scope["route"] = SimpleNamespace(path_format="/v1/apps/{app}/feeds/{feed}")
        scope["path_params"] = {"app": "films", "feed": "home", "user_id": "secret-user"}
        work = RequestScope()
        work.timed("rank", lambda: work.timed("features", lambda: time.sleep(0.002)))
        if error is not None:
            raise error
        await send({"type": "http.response.start", "status": status, "headers": []})

    async def nothing(*_: Any) -> Any:
        return None

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/v1/apps/films/feeds/home",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "state": {"request_id": "r1"},
    }
    provider = open_traces()
    try:
        await TraceMiddleware(app, provider)(scope, nothing, nothing)
    finally:
        provider.shutdown()


async def test_a_request_and_its_stages_are_spans_of_the_callers_trace(receiver: Receiver) -> None:
    await serve(traceparent=f"00-{TRACE}-{PARENT}-01")
    assert set(receiver.paths) == {"/v1/traces"}
    by_name = {span.name: span for span in receiver.spans}
    assert set(by_name) == {"GET /v1/apps/{app}/feeds/{feed}", "rank", "features"}
    request = by_name["GET /v1/apps/{app}/feeds/{feed}"]
    assert (request.trace_id.hex(), request.parent_span_id.hex(), request.kind) == (TRACE, PARENT, SERVER)
    assert texts(request.attributes) == {
        "http.request.method": "GET",
        "http.route": "/v1/apps/{app}/feeds/{feed}",
        "http.response.status_code": 200,
        "homefeed.app": "films",
        "homefeed.feed": "home",
        "homefeed.request_id": "r1",
    }
    rank, features = by_name["rank"], by_name["features"]
    for stage in (rank, features):
        assert (stage.trace_id, stage.parent_span_id) == (request.trace_id, request.span_id)
    # Clocks of spans have a resolution of less than a millisecond beside one another.
    slack = 1_000_000
    assert request.start_time_unix_nano - slack <= rank.start_time_unix_nano <= features.start_time_unix_nano
    assert features.end_time_unix_nano <= rank.end_time_unix_nano <= request.end_time_unix_nano + slack
    assert features.end_time_unix_nano - features.start_time_unix_nano >= 2_000_000
    assert "secret" not in str(receiver.spans)
    assert receiver.resources[0]["service.name"] == "homefeed"


async def test_the_standard_variables_say_how(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "feeds-eu")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=ours")
    await serve()
    assert receiver.resources[0]["service.name"] == "feeds-eu"
    assert {name.lower(): value for name, value in receiver.headers[0].items()}["x-tenant"] == "ours"
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    before = len(receiver.spans)
    await serve()
    assert len(receiver.spans) == before


async def test_a_failure_is_an_error_without_its_text(receiver: Receiver) -> None:
    await serve(503)
    with pytest.raises(ValueError, match="secret-user"):
        await serve(error=ValueError("secret-user"))
    refused, failed = (span for span in receiver.spans if span.name.startswith("GET"))
    assert (refused.status.code, failed.status.code) == (ERROR, ERROR)
    assert texts(refused.attributes)["http.response.status_code"] == 503
    assert texts(failed.attributes)["http.response.status_code"] == 500
    assert texts(failed.attributes)["error.type"] == "ValueError"
    assert "secret" not in str(receiver.spans)
    assert OBSERVER.get() is None


def test_nothing_is_imported_unless_it_is_asked_for() -> None:
    # FastAPI imports the interface of OpenTelemetry by itself, which does nothing.
    code = "import sys, homefeed.api.traces, homefeed.api.rates; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = ("opentelemetry.sdk", "opentelemetry.exporter", "limits")
    assert [name for name in done.stdout.split() if name.startswith(heavy)] == []
