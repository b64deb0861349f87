"""The server in process, beyond its limits: pages are refused, events are taken, and each answer is a problem."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from tests.test_server import ITEM, PLAY, metric, running, streaming

from homefeed.server import create_app

PAGE = "/v1/apps/streaming/feeds/popular?user_id=u{}"


def check_problem(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
    assert int(answer.headers["Retry-After"]) >= 1


async def test_pages_beyond_what_can_be_computed_are_refused_and_events_are_not(tmp_path: Path) -> None:
    async with running(create_app(streaming(tmp_path, max_queue_seconds=1e-9))) as client:
        await client.put(ITEM, json={})
        pages = [client.get(PAGE.format(number)) for number in range(40)]
        events = [client.post("/events", json=PLAY | {"user_id": f"v{number}"}) for number in range(10)]
        answers = await asyncio.gather(*pages, *events, client.get("/healthz"))
        shown = [answer for answer in answers[:40] if answer.status_code == 200]
        assert 9 <= len(shown) < 40, "a few may always wait"
        for answer in answers[:40]:
            if answer not in shown:
                check_problem(answer, 503)
        assert [answer.status_code for answer in answers[40:]] == [200] * 11
        assert await metric(client, "homefeed_requests_refused_total") == 40 - len(shown)
        assert (await client.get(PAGE.format("again"))).status_code == 200, "it is over with the queue"


async def test_a_user_who_asks_too_often_waits_and_others_do_not(tmp_path: Path) -> None:
    async with running(create_app(streaming(tmp_path, rate_limit_user="2/hour"))) as client:
        first, second, third = [await client.get(PAGE.format(1)) for _ in range(3)]
        assert (first.status_code, second.status_code) == (200, 200)
        assert second.headers["RateLimit"].startswith('"user";r=0;t=')
        check_problem(third, 429)
        assert (await client.get(PAGE.format(2))).status_code == 200
        assert await metric(client, 'homefeed_requests_limited_total{limit="user"}') == 1


async def test_traces_are_sent_to_nobody_without_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("opentelemetry.sdk")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    async with running(create_app(streaming(tmp_path, traces=True))) as client:
        assert (await client.get(PAGE.format(1))).status_code == 200
