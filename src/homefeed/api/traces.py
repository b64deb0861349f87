"""OpenTelemetry traces: a span a request and a span a stage, where the setting `traces` asks for them.

Where to and how is said by the standard variables, such as OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_TRACES_SAMPLER.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars

from homefeed import __version__
from homefeed.errors import SettingsError
from homefeed.scope import OBSERVER

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

_SERVICE: Final = "OTEL_SERVICE_NAME"
_CONTEXT: Final = (b"traceparent", b"tracestate")


def open_traces() -> TracerProvider:
    """What makes spans and sends them by OTLP over HTTP, from a thread of its own; `shutdown` sends what is left.

    Raises:
        SettingsError: the extra is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise SettingsError(f"setting traces needs {error.name}: pip install 'homefeed[otel]'") from None
    named = {} if _SERVICE in os.environ else {"service.name": "homefeed"}
    provider = TracerProvider(resource=Resource.create({**named, "service.version": __version__}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class TraceMiddleware:
    """A span around each request, which goes on with its `traceparent`, and in it one for each stage of a feed.

    No span holds an id of a user or an item: the route stands for the path.
    """

    def __init__(self, app: ASGIApp, provider: TracerProvider) -> None:
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._app, self._tracer = app, provider.get_tracer("homefeed", __version__)
        self._continue, self._server = TraceContextTextMapPropagator().extract, SpanKind.SERVER

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        span = self._tracer.start_span(scope["method"], self._continue(_context(scope)), self._server)
        bind_contextvars(trace_id=f"{span.get_span_context().trace_id:032x}")
        stages: list[tuple[str, float, float]] = []
        if span.is_recording():
            OBSERVER.set(lambda *stage: stages.append(stage))
        # Stages are timed by a clock that never goes back, and spans by that of the day.
        beginning = time.time_ns() - time.perf_counter_ns()

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                _note_status(span, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except Exception as error:
            # Its text may name a user; the log has it.
            span.set_attribute("error.type", type(error).__name__)
            _note_status(span, 500)
            raise
        finally:
            OBSERVER.set(None)
            route = getattr(scope.get("route"), "path_format", "other")
            span.update_name(f"{scope['method']} {route}")
            span.set_attributes(_attributes(scope, route))
            self._add(stages, span, beginning)
            span.end()

    def _add(self, stages: list[tuple[str, float, float]], span: Span, beginning: int) -> None:
        from opentelemetry.trace import set_span_in_context

        around = set_span_in_context(span)
        for kind, started, took in stages:
            start = beginning + int(started * 1e9)
            self._tracer.start_span(kind, around, start_time=start).end(start + int(took * 1e9))


def _context(scope: Scope) -> Mapping[str, str]:
    return {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in _CONTEXT}


def _attributes(scope: Scope, route: str) -> Mapping[str, str]:
    path: Mapping[str, str] = scope.get("path_params") or {}
    of_feed = {f"homefeed.{name}": path[name] for name in ("app", "feed") if name in path}
    named = {"http.request.method": scope["method"], "http.route": route}
    return named | of_feed | {"homefeed.request_id": scope["state"]["request_id"]}


def _note_status(span: Span, status: int) -> None:
    from opentelemetry.trace import StatusCode

    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        span.set_status(StatusCode.ERROR)
