"""The overview over HTTP and on the command line: from the store alone, so that restarts lose nothing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.cli import running

from homefeed.api.overviews import Overviews
from homefeed.apps import find_recipe
from homefeed.errors import UnavailableError
from homefeed.server import create_app
from homefeed.serving import LiveApp
from homefeed.settings import Settings
from homefeed.store import open_store
from homefeed.store.job_runs import end_job_run, start_job_run
from homefeed.store.reports import save_report
from homefeed.types import SECOND

APP = "/v1/apps/streaming"
NOW = 1_800_000_000 * SECOND


@asynccontextmanager
async def serving(home: Path) -> AsyncIterator[tuple[httpx.AsyncClient, LiveApp]]:
    app = create_app(Settings(home=home, apps=("streaming",)))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client,
    ):
        yield client, app.state.context.apps["streaming"]


async def show_and_tell(client: httpx.AsyncClient, live: LiveApp) -> None:
    """Two pages of two items, one of which is watched for a minute."""
    film = {"content_type": "movie", "genre": "Drama"}
    items = [{"item_id": name, "attributes": {**film, "title": name}, "created_at": time.time()} for name in "ab"]
    assert (await client.post(f"{APP}/items", json=items)).json()["accepted"] == 2
    await live.catch_up()
    pages = [await client.get(f"{APP}/feeds/fresh", params={"user_id": user, "n": 2}) for user in "vu"]
    assert [len(page.json()["items"]) for page in pages] == [2, 2]
    event = {"user_id": "u", "item_id": "a", "event_type": "play", "value": 60}
    told = await client.post(f"{APP}/events", json=event | {"request_id": pages[1].json()["request_id"]})
    assert told.json()["accepted"] == 1


async def test_an_overview_survives_a_restart_and_is_that_of_the_command(tmp_path: Path) -> None:
    found: list[dict[str, Any]] = []
    async with serving(tmp_path) as (client, live):
        await show_and_tell(client, live)
        await live.impressions.flush()
        found.append((await client.get(f"{APP}/overview")).json())
        assert (await client.get(f"{APP}/overview")).json() == found[0]
        assert (await client.get(f"{APP}/overview", params={"days": 91})).status_code == 422
        schemas = (await client.get("/openapi.json")).json()["components"]["schemas"]
        assert {"OverviewOut", "SeriesOut", "MeasuresOut"} <= schemas.keys()
    async with serving(tmp_path) as (client, _):
        found.append((await client.get(f"{APP}/overview")).json())
    found.append(json.loads(await asyncio.to_thread(running.done, tmp_path, "overview", "streaming", "--json")))
    for one in found:
        (fresh,) = one["feeds"]
        total = fresh["total"]
        assert (fresh["feed"], total["items_shown"], total["items_clicked"]) == ("fresh", 4, 1)
        assert total["rates"] == {"play": 0.25, "dislike": 0.0}
        assert (total["click_through_rate"], total["time_spent_seconds"]) == (0.25, 60)
        assert (one["events"]["by_request"], one["click_types"]) == (1, ["play"])
        assert [job["job"] for job in one["jobs"]] == ["hourly", "daily"]
    assert '"u"' not in json.dumps(found), "an overview names nobody"
    text = await asyncio.to_thread(running.done, tmp_path, "overview", "streaming", COLUMNS="100")
    assert "4 items on 2 pages, click-through 25.0% (play)" in text
    assert "Job daily: no run yet; homefeed schedule runs it every 1d" in text


async def test_jobs_and_imports_are_told(tmp_path: Path) -> None:
    url, recipe = f"sqlite:///{tmp_path / 'homefeed.db'}", find_recipe("streaming")
    rejected = {
        "total": 2,
        "reasons": [{"reason": "no such item", "count": 2, "examples": [{"values": {"id": "u1"}}]}],
    }
    file = {"rows": 9, "loaded": 7, "rejected": rejected}
    async with open_store(url) as store:
        await start_job_run(store, "streaming", "daily", "one", NOW - 90 * SECOND)
        await end_job_run(store, "streaming", "one", NOW - 60 * SECOND, "failed", "the disk is full")
        await start_job_run(store, "streaming", "by hand", "two", NOW - 10 * SECOND)
        await save_report(store, "streaming", NOW, {"finished": True, "seconds": 1.5, "files": {"events": file}})
        await save_report(store, "streaming", NOW + 1, {"started_at": "now"})
    found = await Overviews(url).of(recipe, {"als": "20261130T031500000000-abc", "odd": "v1"}, NOW, 7)
    runs = {job.job: [(run.outcome, run.seconds, run.detail) for run in job.runs] for job in found.jobs}
    assert runs == {"hourly": [], "daily": [("failed", 30, "the disk is full")], "by hand": [("running", 10, "")]}
    assert {model.model: model.trained_at for model in found.models} == {
        "als": "2026-11-30T03:15:00Z",
        "odd": None,
    }
    cut_short, whole = found.reports
    assert (cut_short.finished, cut_short.files) == (False, [])
    assert [(one.kind, one.rows, one.loaded, one.rejected, one.duplicates) for one in whole.files] == [
        ("events", 9, 7, 2, 0)
    ]
    assert [(one.reason, one.rows) for one in whole.files[0].reasons] == [("no such item", 2)]
    assert "u1" not in found.model_dump_json(), "examples of rows stay in the store"


async def test_one_reading_answers_all_who_ask_in_a_minute(tmp_path: Path) -> None:
    overviews, recipe = Overviews(f"sqlite:///{tmp_path / 'homefeed.db'}"), find_recipe("streaming")
    first, second = await asyncio.gather(*(overviews.of(recipe, {}, NOW, 7) for _ in range(2)))
    assert first is second
    assert await overviews.of(recipe, {}, NOW + SECOND, 7) is first
    assert await overviews.of(recipe, {}, NOW, 1) is not first


async def test_a_store_that_cannot_be_read_is_trouble_that_may_pass(tmp_path: Path) -> None:
    (tmp_path / "homefeed.db").write_bytes(b"no database" * 100)
    with pytest.raises(UnavailableError, match="cannot be used"):
        await Overviews(f"sqlite:///{tmp_path / 'homefeed.db'}").of(find_recipe("streaming"), {}, NOW, 7)


async def test_a_server_that_ends_does_not_wait_for_an_overview(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with serving(home) as (client, live):
        await show_and_tell(client, live)
    overviews = Overviews(f"sqlite:///{home / 'homefeed.db'}")
    asked = asyncio.create_task(overviews.of(find_recipe("streaming"), {}, live.environment.clock(), 7))
    await asyncio.sleep(0)
    await overviews.stop()
    with pytest.raises(UnavailableError, match="the server ends"):
        await asked
