"""Pages of other origins: off unless the settings name them; then feeds, events and errors can be read by them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import orjson
import pytest
from starlette.middleware.cors import CORSMiddleware

from homefeed.server import create_app
from homefeed.settings import Settings

NEWS, EVENTS = "https://news.example", "/v1/apps/streaming/events"
Open: TypeAlias = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Opens a server of streaming with an item, whose pages of these origins may use it."""

    @asynccontextmanager
    async def open_it(*origins: str) -> AsyncIterator[httpx.AsyncClient]:
        app = create_app(Settings(home=tmp_path, apps=("streaming",), cors_origins=origins))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                await client.put("/v1/apps/streaming/items/i", json={"attributes": {"title": "I"}})
                yield client

    return open_it


def beacon(event_id: str, origin: str | None, kind: str = "text/plain;charset=UTF-8") -> dict[str, Any]:
    event = {"user_id": "u", "item_id": "i", "event_type": "play", "value": 60, "event_id": event_id}
    headers = {"Content-Type": kind} | ({"Origin": origin} if origin else {})
    return {"content": orjson.dumps([event]), "headers": headers}


def test_without_origins_nothing_is_in_a_requests_way(tmp_path: Path) -> None:
    def middleware(*origins: str) -> set[object]:
        app = create_app(Settings(home=tmp_path, apps=("streaming",), cors_origins=origins))
        return {each.cls for each in app.user_middleware}

    assert middleware(NEWS) - middleware() == {CORSMiddleware}


async def test_by_default_no_page_of_another_origin_reads_or_writes(opened: Open) -> None:
    async with opened() as client:
        answer = await client.get("/v1/apps", headers={"Origin": NEWS})
        assert "access-control-allow-origin" not in answer.headers
        preflight = {"Origin": NEWS, "Access-Control-Request-Method": "POST"}
        assert (await client.options(EVENTS, headers=preflight)).status_code == 405
        for origin in (NEWS, "http://localhost", None):
            assert (await client.post(EVENTS, **beacon("e", origin))).status_code == 415


async def test_pages_of_an_allowed_origin_can_ask_and_tell(opened: Open) -> None:
    async with opened(NEWS) as client:
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
        preflight = await client.options(EVENTS, headers={"Origin": NEWS, **asked})
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == NEWS
        assert "content-type" in preflight.headers["access-control-allow-headers"].lower()
        for method in ("PUT", "PATCH", "DELETE"):
            refused = asked | {"Access-Control-Request-Method": method}
            assert (await client.options(EVENTS, headers={"Origin": NEWS, **refused})).status_code == 400
        answer = await client.get("/v1/apps/streaming/feeds/popular", headers={"Origin": NEWS})
        assert answer.headers["access-control-allow-origin"] == NEWS
        assert "Origin" in answer.headers["vary"]
        assert "Retry-After" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/apps/none/stats", 404), ("POST", EVENTS, 422), ("GET", "/v1/apps?" + "&" * 100, 422)],
)
async def test_what_is_wrong_can_be_read_too(opened: Open, method: str, path: str, status: int) -> None:
    async with opened(NEWS) as client:
        answer = await client.request(
            method, path, headers={"Origin": NEWS}, json={} if method == "POST" else None
        )
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, NEWS)


async def test_others_cannot(opened: Open) -> None:
    async with opened(NEWS) as client:
        for origin in ("https://evil.example", "http://news.example", "https://news.example:8443", "null"):
            answer = await client.get("/v1/apps", headers={"Origin": origin})
            assert "access-control-allow-origin" not in answer.headers
            preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            assert (await client.options(EVENTS, headers=preflight)).status_code == 400
            assert (await client.post(EVENTS, **beacon("e", origin))).status_code == 415
        assert (await client.post(EVENTS, **beacon("e", None))).status_code == 415
        assert (await client.get("/v1/apps/streaming/users/u/events")).json()["events"] == []


async def test_a_beacon_of_an_allowed_origin_is_an_event(opened: Open) -> None:
    async with opened(NEWS) as client:
        for expected in ({"accepted": 1, "duplicates": 0}, {"accepted": 0, "duplicates": 1}):
            answer = await client.post(EVENTS, **beacon("e", NEWS))
            assert answer.json() == {**expected, "rejected": []}
        broken = await client.post(EVENTS, content=b"[", headers={"Content-Type": "text/plain", "Origin": NEWS})
        assert broken.status_code == 422
        form = beacon("f", NEWS, "application/x-www-form-urlencoded")
        assert (await client.post(EVENTS, **form)).status_code == 415
        assert (await client.post("/v1/apps/streaming/items", **beacon("f", NEWS))).status_code == 415
        (event,) = (await client.get("/v1/apps/streaming/users/u/events")).json()["events"]
        assert event["event_id"] == "e"


async def test_any_origin_is_any_but_without_cookies(opened: Open) -> None:
    async with opened("*") as client:
        answer = await client.get("/v1/apps", headers={"Origin": NEWS, "Cookie": "session=1"})
        assert answer.headers["access-control-allow-origin"] in ("*", NEWS)
        assert "access-control-allow-credentials" not in answer.headers
        assert (await client.post(EVENTS, **beacon("e", "https://other.example"))).json()["accepted"] == 1
        assert (await client.post(EVENTS, **beacon("f", None))).status_code == 415
