"""The serving composition root, in process: what it starts from, and how it answers when parts of it fail."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI

from homefeed.environment import Environment
from homefeed.errors import OverloadedError, RecipeError, SettingsError
from homefeed.retrieve.popular import Popular
from homefeed.server import create_app
from homefeed.serving import LiveApp
from homefeed.settings import Settings

ITEM = "/v1/apps/streaming/items/a"
PLAY = {"user_id": "u", "item_id": "a", "watch_seconds": 30}


def streaming(home: Path, **others: Any) -> Settings:
    """Settings that serve streaming alone."""
    return Settings(home=home, apps=("streaming",), **others)


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client,
    ):
        yield client


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with running(create_app(streaming(tmp_path, max_body_megabytes=0.01, poll_seconds=0.02))) as opened:
        yield opened


async def metric(client: httpx.AsyncClient, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (.+)$", (await client.get("/metrics")).text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def test_a_new_home_is_served_at_once(tmp_path: Path) -> None:
    async with running(create_app(streaming(tmp_path / "new" / "home"))) as client:
        ready = (await client.get("/readyz")).json()
        assert ready == {
            "status": "ready",
            "apps": {"streaming": {"items": 0, "models": {}, "degraded": {}, "stand_ins": {}, "store": True}},
            "features": {"store": "memory", "trouble": None},
        }
        assert (await client.get("/popular")).json()["items"] == []
        answer = (await client.get("/recommendations", params={"user_id": "u"})).json()
        assert (answer["items"], answer["fallback_used"]) == ([], True)
        for feed in ("popular", "trending", "fresh", "home"):
            shown = await client.get(f"/v1/apps/streaming/feeds/{feed}", params={"n": 1000, "filter": "genre:x"})
            assert (shown.status_code, shown.json()["items"], shown.json()["next_cursor"]) == (200, [], None)
        stats = (await client.get("/v1/apps/streaming/stats")).json()
        assert (stats["items"], stats["events"], stats["first_event"]) == (0, 0, None)


async def test_it_serves_before_anything_is_trained(client: httpx.AsyncClient) -> None:
    for item_id in ("a", "b", "c"):
        await client.put(f"/v1/apps/streaming/items/{item_id}", json={"attributes": {"title": item_id}})
    assert (await client.post("/events", json=PLAY)).json()["accepted"] == 1
    shown = (await client.get("/recommendations", params={"user_id": "u"})).json()
    assert shown["fallback_used"] is False
    similar = await client.get("/v1/apps/streaming/feeds/similar", params={"item_id": "a"})
    assert similar.status_code == 200


async def test_what_a_server_was_told_is_there_after_a_restart(tmp_path: Path) -> None:
    settings = streaming(tmp_path)
    async with running(create_app(settings)) as client:
        await client.put(ITEM, json={"attributes": {"title": "A"}})
        await client.post("/events", json=PLAY)
        before = (await client.get("/popular")).json()["items"]
    async with running(create_app(settings)) as client:
        assert (await client.get("/history", params={"user_id": "u"})).json()["items"][0]["item_id"] == "a"
        after = (await client.get("/popular")).json()["items"]
        assert [title["item_id"] for title in after] == ["a"]
        assert after[0]["reason"] == "Not played by many yet"
    assert {title["item_id"] for title in before} <= {"a"}


@pytest.mark.parametrize("apps", [("nowhere",), ("streaming", "streaming"), ("nowhere.toml",)])
def test_apps_that_cannot_be_served_are_named_at_the_start(tmp_path: Path, apps: tuple[str, ...]) -> None:
    with pytest.raises((SettingsError, RecipeError), match=r"nowhere|streaming"):
        create_app(Settings(home=tmp_path, apps=apps))


async def test_ids_and_times_come_from_outside(tmp_path: Path) -> None:
    numbers = iter(range(1, 1000))
    environment = Environment(lambda: 1_700_000_000_250_000, lambda: f"id-{next(numbers)}")
    async with running(create_app(streaming(tmp_path), environment)) as client:
        answer = await client.put(ITEM, json={})
        assert answer.headers["X-Request-ID"] == "id-1"
        assert answer.json()["created_at"] == "2023-11-14T22:13:20.250000Z"
        await client.post("/events", json=PLAY)
        told = (await client.get("/history", params={"user_id": "u"})).json()["items"][0]
        assert told["timestamp"] == "2023-11-14T22:13:20.250000Z"


async def test_a_failure_of_ours_is_a_problem_with_its_id_and_without_its_details(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(LiveApp, "recommend", fail)
    for path in ("/popular", "/recommendations?user_id=u", "/v1/apps/streaming/feeds/home"):
        answer = await client.get(path, headers={"X-Request-ID": "mine"})
        assert answer.status_code == 500
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.headers["X-Request-ID"] == "mine"
        assert answer.json()["request_id"] == "mine"
        assert "secret" not in answer.text
    name = 'homefeed_request_seconds_count{method="GET",route="/popular",status="500"}'
    assert await metric(client, name) == 1


async def test_a_failing_retriever_narrows_the_answer_and_is_counted(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.put(ITEM, json={"attributes": {"title": "A"}})

    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Popular, "retrieve", fail)
    for _ in range(500):
        if (await client.get("/v1/apps/streaming/feeds/fresh")).json()["items"]:
            break
        await asyncio.sleep(0.02)
    else:
        pytest.fail("the item never shows")
    assert (await client.get("/popular")).json()["items"] == []
    counted = 'homefeed_part_failures_total{app="streaming",feed="%s",part="popular"}'
    assert await metric(client, counted % "fresh") >= 1
    assert await metric(client, counted % "popular") == 1


async def test_a_failing_policy_fails_the_request(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.put(ITEM, json={})

    def fail(*_: object) -> np.ndarray[Any, Any]:
        raise RuntimeError("broken")

    monkeypatch.setattr("homefeed.policy.availability.Availability.filter", fail)
    assert (await client.get("/popular")).status_code == 500


async def test_overload_asks_to_come_again(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(*_: object) -> None:
        raise OverloadedError("too many events are waiting")

    monkeypatch.setattr(LiveApp, "append", refuse)
    answer = await client.post("/events", json=PLAY)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_ids_with_slashes_survive_a_server_that_keeps_no_raw_path(tmp_path: Path) -> None:
    app = create_app(streaming(tmp_path))

    async def without_raw_path(scope: Any, receive: Any, send: Any) -> None:
        await app({name: value for name, value in scope.items() if name != "raw_path"}, receive, send)

    transport = httpx.ASGITransport(without_raw_path)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        answer = await client.put("/v1/apps/streaming/items/caf%C3%A9 100%25", json={})
        assert answer.json()["item_id"] == "café 100%"


async def test_the_limit_on_bodies_is_the_setting(client: httpx.AsyncClient) -> None:
    async def chunks(size: int) -> AsyncIterator[bytes]:
        for _ in range(size // 100):
            yield b" " * 100

    headers = {"Content-Type": "application/json"}
    for content in (b" " * 10_001, chunks(10_100)):
        answer = await client.put(ITEM, content=content, headers=headers)
        assert answer.status_code == 413
    lines = b'{"item_id": "a"}\n' * 1000
    answer = await client.post(
        "/v1/apps/streaming/items", content=lines, headers={"Content-Type": "application/x-ndjson"}
    )
    assert answer.json() == {"accepted": 1000, "rejected": []}


async def test_every_replica_sees_the_last_event(store_url: str, tmp_path: Path) -> None:
    settings = streaming(tmp_path, database_url=store_url, replicas=True, poll_seconds=0.02)
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(running(create_app(settings))) for _ in range(2)]
        await first.put(ITEM, json={"attributes": {"title": "A", "genre": "Drama"}})
        for number in range(20):
            asked = {"user_id": f"u{number}"}
            assert (await second.get("/recommendations", params=asked)).json()["fallback_used"] is True
            await first.post("/events", json=PLAY | asked)
            history = (await second.get("/history", params=asked)).json()["items"]
            assert [title["item_id"] for title in history] == ["a"]
            assert (await second.get("/recommendations", params=asked)).json()["fallback_used"] is False
            await second.delete(f"/v1/apps/streaming/users/u{number}")
            assert (await first.get("/recommendations", params=asked)).json()["fallback_used"] is True


async def test_threads_of_a_server_take_turns_soon(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).status_code == 200
    assert sys.getswitchinterval() == pytest.approx(0.0005)


async def test_every_replica_knows_the_items_of_the_last_event(store_url: str, tmp_path: Path) -> None:
    # None looks for others' writes by itself within the test.
    settings = streaming(tmp_path, database_url=store_url, replicas=True, poll_seconds=600)
    asked = {"user_id": "u"}
    async with AsyncExitStack() as stack:
        first, second = [await stack.enter_async_context(running(create_app(settings))) for _ in range(2)]
        for item_id in ("a", "b"):
            await first.put(f"/v1/apps/streaming/items/{item_id}", json={"attributes": {"title": "A film"}})
            await first.post("/events", json=PLAY | asked | {"item_id": item_id})
            assert (await second.get("/recommendations", params=asked)).json()["fallback_used"] is False
