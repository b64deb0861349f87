"""Places over HTTP: of items and users, and of requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from homefeed.server import create_app
from homefeed.settings import Settings

SIGHTS = """
app = "sights"
[items.fields]
title = "text"
location = "location"
[users.fields]
home = "location"
[events.visit]
[feeds.near]
retrieve.popular = {}
filter.within_km.km = 1000
features.distance = {}
rank.weighted.weights = { popular = 0.001, proximity = 1 }
"""
PLACES: dict[str, Any] = {
    "louvre": [48.8606, 2.3376],
    "versailles": "48.8049,2.1204",
    "tower": {"latitude": 51.5081, "longitude": -0.0759},
    "opera": [-33.8568, 151.2153],
    "atlantis": None,
}
PARIS: dict[str, Any] = {"latitude": 48.8566, "longitude": 2.3522}


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "sights.toml").write_text(SIGHTS)
    app = create_app(Settings(home=tmp_path, apps=(str(tmp_path / "sights.toml"), "streaming")))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as made,
    ):
        body = [{"item_id": name, "attributes": {"title": name, "location": at}} for name, at in PLACES.items()]
        assert (await made.post("/v1/apps/sights/items", json=body)).json() == {"accepted": 5, "rejected": []}
        for _ in range(200):  # new items are there within seconds
            if (await near(made, **PARIS)).json()["items"]:
                break
            await asyncio.sleep(0.05)
        yield made


async def near(client: httpx.AsyncClient, app: str = "sights", feed: str = "near", **query: Any) -> httpx.Response:
    return await client.get(f"/v1/apps/{app}/feeds/{feed}", params=query)


async def ids(client: httpx.AsyncClient, **query: Any) -> list[str]:
    answer = await near(client, **query)
    assert answer.status_code == 200, answer.text
    return [item["item_id"] for item in answer.json()["items"]]


async def test_a_feed_is_asked_from_a_place(client: httpx.AsyncClient) -> None:
    assert await ids(client, **PARIS) == ["louvre", "versailles", "tower"]
    assert await ids(client, **PARIS, radius_km=20) == ["louvre", "versailles"]
    assert await ids(client, latitude=-33, longitude=151) == ["opera"]
    first = (await near(client, **PARIS, n=1)).json()
    assert [item["item_id"] for item in first["items"]] == ["louvre"]
    assert first["items"][0]["attributes"]["location"] == {"latitude": 48.8606, "longitude": 2.3376}
    assert await ids(client, **PARIS, n=1, cursor=first["next_cursor"]) == ["versailles"]

    home = {"attributes": {"home": "51.5,-0.1"}}
    put = await client.put("/v1/apps/sights/users/ann", json=home)
    assert put.json()["attributes"] == {"home": {"latitude": 51.5, "longitude": -0.1}}
    assert await ids(client, user_id="ann") == ["tower", "versailles", "louvre"]
    assert await ids(client, user_id="ann", radius_km=50) == ["tower"]
    assert await ids(client, user_id="ann", **PARIS, radius_km=50) == ["louvre", "versailles"]
    trace = await client.get("/v1/apps/sights/explain", params={"feed": "near", "item_id": "opera", **PARIS})
    assert trace.json()["verdict"] == "Not shown: stopped by within_km (16,957 km away, farther than 1,000 km)"


async def test_what_cannot_be_used_is_refused_in_words(client: httpx.AsyncClient) -> None:
    refused: list[tuple[dict[str, Any], str]] = [
        ({"latitude": 1}, "longitude: expected both latitude and longitude, or neither"),
        ({"longitude": 1}, "latitude: expected both latitude and longitude, or neither"),
        (
            {"radius_km": 5},
            "radius_km: around which place is not known; send latitude and longitude, or store the user's home",
        ),
        ({**PARIS, "radius_km": 20_101}, "radius_km: Input should be less than or equal to 20100"),
        (
            {**PARIS, "filter": "location:Paris"},
            "location is a location field; for what is near a place, send latitude, longitude and radius_km",
        ),
        (
            {"app": "streaming", "feed": "popular", **PARIS},
            "latitude, longitude and radius_km: the items of streaming have no location; leave them out",
        ),
        (
            {"app": "streaming", "feed": "popular", "radius_km": 1},
            "latitude, longitude and radius_km: the items of streaming have no location; leave them out",
        ),
    ]
    for query, detail in refused:
        answer = await near(client, **query)
        assert (answer.status_code, detail in answer.json()["detail"]) == (422, True), answer.text

    for kind, field in (("items", "location"), ("users", "home")):
        for value, why in (
            ([91, 0], "latitude: expected degrees from -90 to 90, got 91"),
            ("1,", "longitude: expected degrees"),
        ):
            answer = await client.put(f"/v1/apps/sights/{kind}/x", json={"attributes": {field: value}})
            assert answer.status_code == 422
            assert answer.json()["detail"].startswith(f"{field}: {why}")
