"""The nearest over HTTP: an item that moves or comes is found by the next request, and metrics tell of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from homefeed.server import create_app
from homefeed.settings import Settings

SIGHTS = """
app = "sights"
[items.fields]
title = "text"
location = "location"
district = "category"
[events.visit]
[feeds.near]
retrieve.nearby = { start_km = 10, place_name = "district" }
rank.weighted.weights = { nearby = 1 }
"""
PARIS = {"latitude": 48.8566, "longitude": 2.3522}


async def test_what_moves_or_comes_is_found_by_the_next_request(tmp_path: Path) -> None:
    (tmp_path / "sights.toml").write_text(SIGHTS)
    app = create_app(Settings(home=tmp_path, apps=(str(tmp_path / "sights.toml"),), poll_seconds=0.05))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):

        async def put(item_id: str, place: str) -> None:
            body = {"attributes": {"title": item_id, "location": place}}
            assert (await client.put(f"/v1/apps/sights/items/{item_id}", json=body)).status_code == 200

        async def shown() -> list[tuple[str, str]]:
            answer = await client.get("/v1/apps/sights/feeds/near", params=PARIS)
            return [(item["item_id"], item["reason"]) for item in answer.json()["items"]]

        await put("versailles", "48.8049,2.1204")
        await put("opera", "-33.8568,151.2153")
        assert await shown() == [("versailles", "18 km from you"), ("opera", "16,957 km from you")]
        await put("opera", "48.8719,2.3316")
        assert await shown() == [("opera", "2.3 km from you"), ("versailles", "18 km from you")]
        assert (await client.delete("/v1/apps/sights/items/opera")).status_code in (200, 204)
        assert await shown() == [("versailles", "18 km from you")]

        async def measured() -> dict[tuple[str, ...], float]:
            text = (await client.get("/metrics")).text
            samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
            return {(sample.name, *sample.labels.values()): sample.value for sample in samples}

        assert (await measured())["homefeed_shown_distance_km_count", "sights", "near"] == 5
        assert (await measured())["homefeed_shown_values_count", "sights", "near", "district"] == 3
        searches = "homefeed_part_work_total", "sights", "nearby", "searches"
        for _ in range(200):  # taken over beside the requests
            if (await measured()).get(searches) == 3:
                break
            await asyncio.sleep(0.02)
        assert (await measured())[searches] == 3
