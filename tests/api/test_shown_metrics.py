"""Metrics of a running server: what was shown and what followed, jobs and the store."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from homefeed.api.context import Context
from homefeed.api.job_metrics import JobMetrics, job_states
from homefeed.api.pages_shown import PagesShown
from homefeed.api.scores_shown import ScoresShown
from homefeed.apps import find_recipe
from homefeed.server import create_app
from homefeed.settings import Settings
from homefeed.store import Store
from homefeed.store.job_runs import end_job_run, start_job_run
from homefeed.types import SECOND, Slate

APP = "/v1/apps/streaming"
MAGNITUDE = "homefeed_shown_score_magnitude_total"
NOW = 1_800_000_000 * SECOND


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[FastAPI]:
    refusing = {"streaming": {"privacy": {"opt_out": "region"}}}
    app = create_app(Settings(home=tmp_path, apps=("streaming",), recipes=refusing))
    async with app.router.lifespan_context(app):
        yield app


async def test_events_count_for_the_feed_that_showed_their_item(app: FastAPI) -> None:
    context: Context = app.state.context
    live, metrics = context.apps["streaming"], context.metrics
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:

        async def tell(user: str, item: str, request: str | None = None, **more: Any) -> None:
            event = {"user_id": user, "item_id": item, "event_type": "play", "value": 20, **more}
            answer = await client.post(f"{APP}/events", json=event | ({"request_id": request} if request else {}))
            assert answer.json()["accepted"] == 1, answer.text

        film = {"content_type": "movie", "genre": "Drama"}
        films = [
            {"item_id": name, "attributes": {**film, "title": name}, "created_at": time.time()} for name in "ab"
        ]
        assert (await client.post(f"{APP}/items", json=films)).json()["accepted"] == 2
        for user, refuses in (("u", False), ("v", True)):
            await client.put(f"{APP}/users/{user}", json={"attributes": {"region": refuses}})
        await live.catch_up()
        pages = {}
        for user in "uv":
            page = (await client.get(f"{APP}/feeds/fresh", params={"user_id": user})).json()
            assert sorted(item["item_id"] for item in page["items"]) == ["a", "b"]
            pages[user] = page["request_id"]
        await tell("u", "a", pages["u"])
        await tell("u", "a", pages["u"], context={"time_spent_seconds": 5})
        await tell("u", "b", "no such page")
        await tell("u", "b")
        await tell("v", "b", pages["v"])
        await live.impressions.flush()
        await metrics.on_shown.count(live, settled_seconds=0)
        await metrics.on_shown.count(live, settled_seconds=0)
    value = metrics.registry.get_sample_value
    labels = {"app": "streaming", "feed": "fresh"}
    assert value("homefeed_events_on_shown_total", labels | {"event": "play"}) == 2
    assert value("homefeed_time_spent_seconds_total", labels) == 25
    assert value("homefeed_items_shown_total", labels) == 4
    assert value("homefeed_pages_shown_total", labels | {"personalised": "any"}) == 2
    assert value("homefeed_shown_score_bucket", labels | {"le": "+Inf"}) == 4
    assert (value("homefeed_store_query_seconds_count", {"kind": "write"}) or 0) > 0
    assert value("homefeed_job_period_seconds", {"app": "streaming", "job": "daily"}) == 86_400


def test_pages_count_by_who_answers_new_users() -> None:
    registry, recipe = CollectorRegistry(), find_recipe("streaming")
    pages = PagesShown(registry)
    for feed, made_by, size in (("home", "home", 3), ("home", "popular", 2), ("popular", "popular", 1)):
        empty = np.zeros((size, 0), np.float32)
        one = np.ones(size, np.float32)
        slate = Slate(feed, np.zeros(size, np.int32), one, (), (), False, (), empty, one, 0, made_by)
        pages.add(recipe, slate)
    shown = [
        registry.get_sample_value(
            "homefeed_pages_shown_total", {"app": "streaming", "feed": feed, "personalised": personalised}
        )
        for feed, personalised in (("home", "yes"), ("home", "no"), ("popular", "any"), ("popular", "no"))
    ]
    assert shown == [1, 1, 1, None]
    assert registry.get_sample_value("homefeed_items_shown_total", {"app": "streaming", "feed": "home"}) == 5


def test_scores_have_a_mean_although_some_are_below_zero() -> None:
    registry = CollectorRegistry()
    scores = ScoresShown(registry)
    for part in ([1.0, -0.5], [math.nan, 0.25]):
        scores.add("a", "home", np.array(part, np.float32))
    labels = {"app": "a", "feed": "home"}
    found = {
        sign: registry.get_sample_value(MAGNITUDE, labels | {"sign": sign}) for sign in ("positive", "negative")
    }
    assert found == {"positive": 1.25, "negative": 0.5}
    at_most = [
        registry.get_sample_value("homefeed_shown_score_bucket", labels | {"le": le})
        for le in ("-1.0", "0.0", "+Inf")
    ]
    assert at_most == [0, 1, 3]


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_jobs_tell_when_they_last_ended_well(store: Store) -> None:
    recipe = find_recipe("community")
    runs = (("one", 100, 40, "done"), ("two", 50, 30, "failed"), ("three", 10, None, "running"))
    for run_id, began, ended, outcome in runs:
        await start_job_run(store, "community", "daily", run_id, NOW - began * SECOND)
        if ended is not None:
            await end_job_run(store, "community", run_id, NOW - ended * SECOND, outcome)  # type: ignore[arg-type]
    registry = CollectorRegistry()
    metrics = JobMetrics(registry)
    metrics.set("community", await job_states(store, recipe), {"als": "20261130T031500000000-abc", "odd": "v1"})
    labels, now = {"app": "community", "job": "daily"}, NOW / SECOND

    def value(name: str, **more: str) -> float | None:
        return registry.get_sample_value(f"homefeed_job_{name}", labels | more)

    assert value("last_success_timestamp_seconds") == now - 40
    assert value("last_start_timestamp_seconds") == now - 10
    assert value("last_duration_seconds") == 20
    assert {outcome: value("last_outcome", outcome=outcome) for outcome in ("running", "failed", "done")} == {
        "running": 1,
        "failed": 0,
        "done": 0,
    }
    trained = {"app": "community", "model": "als"}
    assert registry.get_sample_value("homefeed_model_trained_timestamp_seconds", trained) == 1_796_008_500
    assert (
        registry.get_sample_value("homefeed_model_trained_timestamp_seconds", trained | {"model": "odd"}) is None
    )
