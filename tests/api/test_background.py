"""Beside the requests: what was shown is written, what is too old is deleted, and neither fails a request."""

from __future__ import annotations

import asyncio
import gc
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite
import httpx
import numpy as np
import pytest
from structlog.testing import capture_logs

from homefeed.api import background
from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.rank.click_model.model import ClickModelModel
from homefeed.rank.schema import Schema
from homefeed.server import create_app
from homefeed.serving import impressions
from homefeed.serving.retention import prune
from homefeed.settings import Settings
from homefeed.store import Store, session
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import append_events, totals
from homefeed.store.impressions import Impression, impressions_of_request, write_impressions
from homefeed.store.items import ItemWrite, get_item, put_items
from homefeed.store.users import get_user
from homefeed.times import format_time
from homefeed.train import train_app
from homefeed.types import DAY, SECOND, Event

APP = "streaming"
NOW = 1_700_000_000 * SECOND
HOME = f"/v1/apps/{APP}/feeds/home"

sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For what is the same on every database: a database of one's own takes PostgreSQL a second."""


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "_WRITE_SECONDS", 0.01)
    monkeypatch.setattr(background, "_PRUNE_SECONDS", 0.01)


@asynccontextmanager
async def served(store_url: str, home: Path, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    made = Settings(home=home, database_url=store_url, apps=(APP,), poll_seconds=0.01, **settings)
    app = create_app(made, Environment(lambda: NOW))
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client,
    ):
        yield client


@pytest.fixture
async def filled(store: Store) -> Store:
    films = [ItemWrite(f"i{n}", {"title": f"Film {n}", "genre": "Drama"}, n + 1) for n in range(12)]
    await put_items(store, APP, films)
    await append_events(store, APP, [Event("u", f"i{n}", "play", NOW - n * SECOND, 5.0) for n in range(6)], NOW)
    return store


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(10):
        while not await holds():  # noqa: ASYNC110 -- there is no signal for it
            await asyncio.sleep(0.01)


async def metric(client: httpx.AsyncClient, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (.+)$", (await client.get("/metrics")).text, re.MULTILINE)
    return float(found[1]) if found else 0.0


async def written(client: httpx.AsyncClient, outcome: str = "written") -> float:
    return await metric(client, f'homefeed_impressions_total{{app="{APP}",outcome="{outcome}"}}')


@sqlite
async def test_which_ranker_serves_is_measured(store_url: str, tmp_path: Path) -> None:
    learned: dict[str, Any] = {APP: {"feeds": {"popular": {"learned": {"click_model": {}}}}}}
    gauge = f'homefeed_learned_ranker_serving{{app="{APP}",feed="popular",ranker="click_model"}}'
    async with served(store_url, tmp_path, recipes=learned) as client:

        async def measures(value: float) -> bool:
            return f"{gauge} {value}" in (await client.get("/metrics")).text.splitlines()

        await until(partial(measures, 0.0))
        names = ("popular", "bias", "own")
        model = ClickModelModel(Schema(names, calibrated=False), np.ones(len(names), np.float32))
        how: dict[str, Any] = {"now": NOW, "watermark": 0, "config": {}, "facts": {}}
        ArtifactStore(tmp_path / "models").publish(APP, "popular_ranker", "click_model", model, **how)
        await until(partial(measures, 1.0))


@sqlite
async def test_models_that_are_gone_serve_on_and_readyz_and_metrics_say_so(
    filled: Store, store_url: str, tmp_path: Path
) -> None:
    trained = await train_app(find_recipe(APP), filled, ArtifactStore(tmp_path / "models"), Environment())
    versions = {manifest.model: manifest.version for manifest in trained.manifests}
    async with served(store_url, tmp_path) as client:

        async def readiness() -> dict[str, Any]:
            answer = await client.get("/readyz")
            assert (answer.status_code, answer.json()["status"]) == (200, "ready")
            found: dict[str, Any] = answer.json()["apps"][APP]
            return found

        async def degraded() -> bool:
            return bool((await readiness())["degraded"])

        async def counted() -> bool:
            return await metric(client, f'homefeed_models_degraded{{app="{APP}"}}') == len(versions)

        assert not await degraded()
        (tmp_path / "models").rename(tmp_path / "unmounted")
        await until(degraded)
        await until(counted)
        found = await readiness()
        assert found["models"] == versions
        assert found["degraded"] == {
            name: f"{tmp_path / 'models'} is missing; serving: {version}" for name, version in versions.items()
        }
        assert await metric(client, f'homefeed_model_reloads_total{{app="{APP}"}}') == 0
        assert (await client.get(HOME, params={"user_id": "u"})).json()["items"]


async def test_the_server_writes_what_it_showed(filled: Store, store_url: str, tmp_path: Path) -> None:
    async with served(store_url, tmp_path) as client:
        params: dict[str, str | int] = {"user_id": "u", "n": 5}
        answer = (await client.get(HOME, params=params, headers={"X-Request-ID": "mine"})).json()
        following = (await client.get(HOME, params=params | {"cursor": answer["next_cursor"]})).json()

        async def both_written() -> bool:
            return bool(await impressions_of_request(filled, APP, following["request_id"]))

        await until(both_written)
        (shown,) = await impressions_of_request(filled, APP, "mine")
        assert shown.items.tolist() == [
            (await get_item(filled, APP, item["item_id"])).number for item in answer["items"]
        ]
        assert shown.scores.tolist() == [item["score"] for item in answer["items"]]
        assert (shown.feed, shown.user, shown.time, shown.start) == (
            "home",
            (await get_user(filled, APP, "u")).number,
            NOW,
            0,
        )
        assert (shown.served_by, shown.variant) == ("home/weighted", "")
        assert shown.propensities.tolist() == [1.0] * 5
        for item, features in zip(answer["items"], shown.features.tolist(), strict=True):
            trace = (
                await client.get(f"/v1/apps/{APP}/explain", params=params | {"feed": "home", **pick(item)})
            ).json()
            explained = {feature["name"]: feature["value"] for feature in trace["features"]}
            assert dict(zip(shown.feature_names, features, strict=True)) == explained
        assert (await impressions_of_request(filled, APP, following["request_id"]))[0].start == 5
        assert await written(client) == 2, "explaining shows nothing to anybody"


def pick(item: dict[str, Any]) -> dict[str, str]:
    return {"item_id": item["item_id"]}


@sqlite
async def test_so_does_the_contract_of_a_ready_made_app(filled: Store, store_url: str, tmp_path: Path) -> None:
    async with served(store_url, tmp_path) as client:
        shown = {}
        for path in ("/popular?k=3", "/recommendations?user_id=u&k=4", "/recommendations?user_id=stranger"):
            answer = (await client.get(path)).json()
            shown[answer["request_id"]] = len(answer["items"])
    sizes = {request_id: await impressions_of_request(filled, APP, request_id) for request_id in shown}
    assert {request_id: len(found[0].items) for request_id, found in sizes.items()} == shown
    assert [(found[0].feed, found[0].user) for found in sizes.values()] == [
        ("popular", None),
        ("home", 1),
        ("home", None),
    ]


@sqlite
async def test_what_waits_when_the_server_ends_is_written(
    filled: Store, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_WRITE_SECONDS", 3_600.0)
    async with served(store_url, tmp_path) as client:
        for number in range(30):
            await client.get(HOME, headers={"X-Request-ID": f"r{number}"})
        assert await impressions_of_request(filled, APP, "r0") == []
    for number in range(30):
        assert len(await impressions_of_request(filled, APP, f"r{number}")) == 1


@sqlite
async def test_an_empty_page_is_not_written(filled: Store, store_url: str, tmp_path: Path) -> None:
    async with served(store_url, tmp_path) as client:
        await client.get(HOME, params={"filter": "genre:none"}, headers={"X-Request-ID": "empty"})
        await client.get(HOME, headers={"X-Request-ID": "full"})
    assert await impressions_of_request(filled, APP, "empty") == []
    assert len(await impressions_of_request(filled, APP, "full")) == 1


@sqlite
async def test_kept_for_no_days_nothing_is_written_and_what_was_goes(
    filled: Store, store_url: str, tmp_path: Path
) -> None:
    await write_impressions(filled, APP, [old("before", NOW - 1)])
    async with served(store_url, tmp_path, impressions_days=0) as client:
        for _ in range(3):
            await client.get(HOME, headers={"X-Request-ID": "r"})

        async def gone() -> bool:
            return not await impressions_of_request(filled, APP, "before")

        await until(gone)
        assert await written(client) == 0
    assert await impressions_of_request(filled, APP, "r") == []


async def test_a_store_that_cannot_be_written_fails_no_request_and_loses_nothing(
    filled: Store,
    store_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    failing, tries = True, 0

    async def write(store: Store, app: str, group: list[Impression]) -> None:
        nonlocal tries
        tries += 1
        if failing:
            raise OSError("no space left on device")
        await write_impressions(store, app, group)

    monkeypatch.setattr(impressions, "write_impressions", write)
    async with served(store_url, tmp_path) as client:
        for number in range(5):
            answer = await client.get(HOME, headers={"X-Request-ID": f"r{number}"})
            assert (answer.status_code, len(answer.json()["items"])) == (200, 12)

        async def tried_again() -> bool:
            return tries > 3

        await until(tried_again)
        assert (await written(client), await written(client, "lost")) == (0, 0)
        assert await impressions_of_request(filled, APP, "r0") == []
        failing = False

        async def all_written() -> bool:
            return await written(client) == 5

        await until(all_written)
        assert await written(client, "lost") == 0
    assert all([await impressions_of_request(filled, APP, f"r{number}") for number in range(5)])
    assert "cannot write impressions" in capsys.readouterr().err


@sqlite
async def test_of_what_can_never_be_written_only_so_much_is_held(
    filled: Store, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(impressions, "write_impressions", fail)
    monkeypatch.setattr(impressions, "_MOST_WAITING", 4)
    async with served(store_url, tmp_path) as client:
        for _ in range(10):
            assert (await client.get(HOME)).status_code == 200

        async def six_lost() -> bool:
            return await written(client, "lost") == 6

        await until(six_lost)


async def test_what_is_too_old_is_deleted(filled: Store, store_url: str, tmp_path: Path) -> None:
    await append_events(filled, APP, [Event("u", "i1", "play", NOW - 31 * DAY, 5.0)], NOW)
    await write_impressions(filled, APP, [old("old", NOW - 8 * DAY), old("new", NOW - 6 * DAY)])
    async with served(store_url, tmp_path, events_days=30, impressions_days=7) as client:

        async def pruned() -> bool:
            return not await impressions_of_request(filled, APP, "old")

        await until(pruned)
        assert len(await impressions_of_request(filled, APP, "new")) == 1
        stored = (await client.get(f"/v1/apps/{APP}/users/u/events")).json()["events"]
        assert len(stored) == 6
        # And again, whenever some time has passed.
        await write_impressions(filled, APP, [old("old", NOW - 8 * DAY)])
        await until(pruned)
    assert (await totals(filled, APP, NOW)).events == 6


@sqlite
async def test_what_a_wrong_clock_would_delete_is_not_and_the_log_says_so(
    filled: Store, store_url: str, tmp_path: Path
) -> None:
    ahead = NOW + 1_095 * DAY
    settings = Settings(home=tmp_path, database_url=store_url, apps=(APP,), events_days=30)
    app = create_app(settings, Environment(lambda: ahead))
    with capture_logs() as logs:
        async with app.router.lifespan_context(app):
            await append_events(filled, APP, [Event("u", "i1", "play", ahead, 5.0)], ahead)

            async def told() -> bool:
                return any(line["event"] == "not deleted" for line in logs)

            await until(told)
    assert (await totals(filled, APP, NOW)).events == 7
    line = next(line for line in logs if line["event"] == "not deleted")
    assert (line["app"], line["log_level"]) == (APP, "error")
    assert line["why"].startswith("6 of 7 events are from before ")
    assert not [line for line in logs if line["event"] == "deleted what is too old"]


@sqlite
async def test_what_was_deleted_is_in_nobodys_history_any_more(
    filled: Store, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = asyncio.Event()

    async def when_signalled(*given: Any) -> Any:
        await go.wait()
        return await prune(*given)

    monkeypatch.setattr(background, "prune", when_signalled)
    async with served(store_url, tmp_path, events_days=30) as client:

        async def shown() -> set[str]:
            answer = (await client.get(HOME, params={"user_id": "u"})).json()
            return {item["item_id"] for item in answer["items"]}

        assert "i9" in await shown()
        long_ago = format_time(NOW - 31 * DAY)
        payload = {"user_id": "u", "item_id": "i9", "watch_seconds": 5_000, "timestamp": long_ago}
        assert (await client.post("/events", json=payload)).json()["accepted"] == 1
        assert "i9" not in await shown(), "watched enough of"
        go.set()

        async def shown_again() -> bool:
            return "i9" in await shown()

        await until(shown_again)


@sqlite
async def test_without_a_limit_events_stay_for_ever(filled: Store, store_url: str, tmp_path: Path) -> None:
    await append_events(filled, APP, [Event("u", "i1", "play", 1, 5.0)], NOW)
    await write_impressions(filled, APP, [old("old", NOW - 91 * DAY), old("new", NOW - 89 * DAY)])
    async with served(store_url, tmp_path):

        async def pruned() -> bool:
            return not await impressions_of_request(filled, APP, "old")

        await until(pruned)
    assert len(await impressions_of_request(filled, APP, "new")) == 1
    assert (await totals(filled, APP, NOW)).events == 7


@sqlite
async def test_a_pruning_that_fails_is_tried_again(
    filled: Store, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    async def fail(*_: object) -> None:
        nonlocal tries
        tries += 1
        raise OSError("no space left on device")

    monkeypatch.setattr(background, "prune", fail)
    async with served(store_url, tmp_path) as client:

        async def tried_again() -> bool:
            return tries > 2

        await until(tried_again)
        assert (await client.get(HOME)).status_code == 200


@pytest.fixture
def _no_cleaning_up() -> Iterator[None]:
    """As in a server, where Python has no reason to look for garbage while it ends."""
    gc.disable()
    yield
    gc.enable()


@sqlite
@pytest.mark.usefixtures("_no_cleaning_up")
async def test_a_server_that_ends_while_it_writes_leaves_the_store_to_others_at_once(
    filled: Store, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = asyncio.Event()

    async def slowly(cursor: aiosqlite.Cursor, sql: str, parameters: Any) -> Any:
        def execute() -> Any:
            time.sleep(0.3)
            return cursor._cursor.executemany(sql, parameters)

        if "INTO impressions" in sql:
            writing.set()
        await cursor._execute(execute)  # type: ignore[no-untyped-call]
        return cursor

    monkeypatch.setattr(aiosqlite.Cursor, "executemany", slowly)
    monkeypatch.setattr(session, "_BUSY_SECONDS", 1)
    async with served(store_url, tmp_path) as client:
        for number in range(3):
            await client.get(HOME, headers={"X-Request-ID": f"r{number}"})
        await writing.wait()
    # Else the store is still locked: by a write that was cut short, until Python comes to clean up after it.
    for number in range(3):
        assert len(await impressions_of_request(filled, APP, f"r{number}")) == 1


def old(request_id: str, time: int) -> Impression:
    one = np.ones(1, np.float32)
    return Impression(request_id, "home", None, time, 0, np.ones(1, np.int32), one, one, ("a",), one[:, None], {})
