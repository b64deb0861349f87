"""Health, readiness, metrics, and documentation that needs no other server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import httpx
import pytest

if TYPE_CHECKING:
    from tests.conftest import Served, StartServer


def test_healthz_answers(api: httpx.Client) -> None:
    answer = api.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_answers_head_without_a_body(api: httpx.Client, path: str) -> None:
    answer = api.head(path)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("path", ["/healthz", "/metrics", "/", "/nothing", "/v1/apps/streaming/feeds/home?n=x"])
def test_no_answer_may_be_taken_for_another_type(api: httpx.Client, path: str) -> None:
    assert api.get(path).headers["X-Content-Type-Options"] == "nosniff"


def test_readyz_reports_every_app(api: httpx.Client) -> None:
    answer = api.get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    apps = answer.json()["apps"]
    assert apps.keys() == {"streaming", "shop", "community", "live", "marketplace", "films"}
    assert apps["streaming"]["items"] >= 120
    assert apps["streaming"]["models"].keys() == {
        "signals",
        "exposures",
        "item_item",
        "sequence",
        "content",
        "blend",
    }
    assert (apps["streaming"]["store"], apps["streaming"]["degraded"]) == (True, {})


async def _let_in(store_url: str, allowed: bool) -> None:
    """Open or close a PostgreSQL database; closed, it throws everyone out."""
    server, name = store_url.rsplit("/", 1)
    connection = await asyncpg.connect(f"{server}/postgres")
    try:
        await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {allowed}")
        if not allowed:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name
            )
    finally:
        await connection.close()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_without_its_store_a_server_says_so_and_recovers(
    store_url: str, start_server: StartServer, tmp_path: Path, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    with (
        start_server(store_url, tmp_path, poll_seconds="0.1") as running,
        httpx.Client(base_url=running.url, timeout=20) as client,
    ):
        client.put("/v1/apps/streaming/items/a", json={"attributes": {"title": "A"}})
        eventually(lambda: len(client.get("/popular").json()["items"]) == 1)
        asyncio.run(_let_in(store_url, False))
        eventually(lambda: client.get("/readyz").status_code == 503)
        for _ in range(2):
            ready = client.get("/readyz")
            assert (ready.status_code, ready.json()["status"]) == (503, "not ready")
            assert ready.json()["apps"]["streaming"]["store"] is False
        assert client.get("/healthz").status_code == 200
        assert len(client.get("/popular").json()["items"]) == 1
        event = {"user_id": "u", "item_id": "a", "watch_seconds": 3, "event_id": "e"}
        for answer in (
            client.post("/events", json=event),
            client.get("/recommendations", params={"user_id": "u"}),
            client.get("/v1/apps/streaming/stats"),
            client.put("/v1/apps/streaming/items/b", json={}),
        ):
            assert answer.status_code == 503
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.headers["Retry-After"]
            assert answer.json()["request_id"] == answer.headers["X-Request-ID"]
        asyncio.run(_let_in(store_url, True))
        eventually(lambda: client.get("/readyz").status_code == 200)
        assert client.post("/events", json=event).json()["accepted"] == 1
        assert len(client.get("/history", params={"user_id": "u"}).json()["items"]) == 1


def metric(api: httpx.Client, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (.+)$", api.get("/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def stages(api: httpx.Client, app: str) -> dict[tuple[str, str], float]:
    """How many requests were measured, by feed and stage."""
    pattern = rf'^homefeed_stage_seconds_count\{{app="{app}",feed="(\w+)",stage="([\w.]+)"\}} (.+)$'
    found = re.findall(pattern, api.get("/metrics").text, re.MULTILINE)
    return {(feed, stage): float(count) for feed, stage, count in found}


def grown(before: dict[tuple[str, str], float], after: dict[tuple[str, str], float]) -> dict[str, set[float]]:
    """By how much the counts of each feed's stages have grown, but those of reasons.

    Of the retrievers only those give reasons that speak most for an item of the page.
    """
    growth: dict[str, set[float]] = {}
    for key, count in after.items():
        if count > before.get(key, 0.0) and not key[1].startswith("reasons."):
            growth.setdefault(key[0], set()).add(count - before.get(key, 0.0))
    return growth


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("/recommendations?user_id=u41", {"k": 11}),
        ("/v1/apps/streaming/feeds/home?user_id=u42", {"n": 11}),
    ],
)
def test_the_stages_of_a_page_are_measured_when_it_is_made(
    api: httpx.Client, path: str, change: dict[str, int]
) -> None:
    before = stages(api, "streaming")
    assert api.get(path).json() | {"request_id": ""} == api.get(path).json() | {"request_id": ""}
    assert grown(before, stages(api, "streaming")) == {"home": {1.0}}
    assert api.get(path, params=httpx.URL(path).params.merge(change)).status_code == 200
    after = stages(api, "streaming")
    assert grown(before, after) == {"home": {2.0}}
    assert {stage for feed, stage in after if feed == "home"} >= {
        "filter.availability",
        "retrieve.content",
        "rank",
    }


def test_stages_count_for_the_feed_that_answers(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    before = stages(api, "streaming")
    assert api.get(f"/recommendations?user_id={fresh('new')}").json()["fallback_used"] is True
    assert grown(before, stages(api, "streaming")) == {"popular": {1.0}}


def test_lists_that_are_made_together_are_measured_once(api: httpx.Client) -> None:
    for user in ("listener3", "listener4"):
        click = {"user_id": user, "event_type": "product_click", "product_id": "P000000009"}
        assert api.post("/api/v1/interactions/interactions", json=click).status_code == 200
        before = stages(api, "shop")
        assert api.get("/recommendations/home", params={"user_id": user}).status_code == 200
        assert grown(before, stages(api, "shop")) == {"home": {1.0}}


def test_metrics_count_requests_events_and_items(api: httpx.Client, fresh: Callable[[str], str]) -> None:
    def value(name: str) -> float:
        return metric(api, name)

    names = [
        'homefeed_events_total{app="streaming",outcome="accepted"}',
        'homefeed_events_total{app="streaming",outcome="duplicate"}',
        'homefeed_events_total{app="streaming",outcome="rejected"}',
        'homefeed_request_seconds_count{method="GET",route="/v1/apps/{app}/items/{item_id}",status="404"}',
        'homefeed_feed_seconds_count{app="streaming",feed="popular"}',
    ]
    before = [value(name) for name in names]
    play = {"user_id": fresh("user"), "item_id": "i1", "watch_seconds": 5, "event_id": fresh("event")}
    api.post("/events", json=[play, play, play | {"item_id": "nowhere"}])
    api.get(f"/v1/apps/streaming/items/{fresh('nowhere')}")
    api.get("/v1/apps/streaming/feeds/popular?n=1")
    assert [value(name) for name in names] == [count + 1 for count in before]
    assert value('homefeed_items{app="streaming"}') >= 120
    assert api.get("/metrics").headers["Content-Type"].startswith("text/plain")


def test_metrics_never_hold_an_id(api: httpx.Client) -> None:
    user_id, item_id, base = "Secret/User 7", "Secret/Item 7", "/v1/apps/streaming"
    user, item = (name.replace("/", "%2F").replace(" ", "%20") for name in (user_id, item_id))
    for method in ("PUT", "GET", "PATCH", "POST"):
        api.request(method, f"{base}/items/{item}", json={})
        api.request(method, f"{base}/users/{user}", json={})
    play = {"user_id": user_id, "item_id": item_id, "watch_seconds": 5, "event_id": "Secret/Event"}
    api.post("/events", json=play, headers={"X-Request-ID": "Secret/Request"})
    api.post("/events", json=play | {"item_id": "Secret/Nothing"})
    for path in (
        f"/recommendations?user_id={user}",
        f"/history?user_id={user}",
        f"{base}/users/{user}/events",
        f"{base}/feeds/similar?item_id={item}&user_id={user}",
        f"{base}/feeds/{item}",
        f"/v1/apps/{item}/stats",
        f"{base}/explain?feed=home&user_id={user}&item_id={item}",
        f"/nowhere/{user}",
        f"/static-offline-docs/{user}",
    ):
        api.get(path)
    api.delete(f"{base}/items/{item}")
    api.delete(f"{base}/users/{user}")
    assert "secret" not in api.get("/metrics").text.casefold()


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_documentation_needs_no_other_server(api: httpx.Client, page: str) -> None:
    answer = api.get(page)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    referenced = re.findall(r"""(?:src|href)=["']([^"']+)["']|url:\s*["']([^"']+)["']""", answer.text)
    paths = {one or other for one, other in referenced}
    assert len(paths) >= 2
    for path in paths:
        assert path.startswith("/"), path
        assert not path.startswith("//"), path
        served = api.get(path)
        assert served.status_code == 200, path
        assert served.content, path
    assert not re.search(r"https?://", answer.text), "a page that loads from elsewhere"


def test_the_openapi_document_describes_the_contract(api: httpx.Client, served: Served) -> None:
    document = api.get("/openapi.json").json()
    promised = {
        "/v1/apps": {"get"},
        "/v1/apps/{app}/items": {"get", "post"},
        "/v1/apps/{app}/items/{item_id}": {"get", "put", "patch", "delete"},
        "/v1/apps/{app}/users": {"get"},
        "/v1/apps/{app}/users/{user_id}": {"get", "put", "patch", "delete"},
        "/v1/apps/{app}/users/{user_id}/events": {"get"},
        "/v1/apps/{app}/events": {"post"},
        "/v1/apps/{app}/feeds/{feed}": {"get"},
        "/v1/apps/{app}/explain": {"get"},
        "/v1/apps/{app}/stats": {"get"},
        "/health": {"get"},
        "/popular": {"get"},
        "/recommendations": {"get"},
        "/history": {"get"},
        "/events": {"post"},
        "/healthz": {"get"},
        "/readyz": {"get"},
    }
    for path, methods in promised.items():
        assert methods <= document["paths"][path].keys()
    parameters = {
        (path, parameter["name"]): parameter["schema"]
        for path in promised
        for parameter in document["paths"][path].get("get", {}).get("parameters", [])
    }
    for path, name, default in (
        ("/popular", "k", 10),
        ("/recommendations", "k", 10),
        ("/history", "limit", 50),
        ("/v1/apps/{app}/feeds/{feed}", "n", 20),
        ("/v1/apps/{app}/items", "limit", 100),
        ("/v1/apps/{app}/users", "limit", 100),
        ("/v1/apps/{app}/users/{user_id}/events", "limit", 50),
    ):
        schema = parameters[path, name]
        assert (schema["default"], schema["minimum"], schema["maximum"]) == (default, 1, 1000)
