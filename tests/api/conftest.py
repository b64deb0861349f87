"""A real server with a trained world, on each store, and a client that trusts no answer."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
import polars as pl
import pytest
from sqlalchemy.engine import make_url

from homefeed.apps.catalogue import find_recipe
from homefeed.apps.streaming.generate import generate
from homefeed.serving.clock import Outside
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import put_users
from homefeed.train import train_app
from homefeed.types import SECOND, Event

MEGABYTE = 1_000_000

FILMS = """
app = "films"
title = "Films"
unknown_event_types = "accept"

[items]
title = "title"
[items.fields]
title = "text"
kind = "category"
tags = "tags"
year = "number"

[events.like]
[events.rate]
full = 5.0
minimum = -5

[feeds.best]
title = "Best"
retrieve.popular = {}
rank.weighted = { weights = { popular = 1.0 } }

[feeds.new]
retrieve.fresh = {}
rank.weighted = { weights = { fresh = 1.0 } }
"""


@dataclass(frozen=True)
class Served:
    """A running server, and the data it was given of the app streaming."""

    url: str
    store_url: str
    home: Path
    items: dict[str, dict[str, str]]
    events: pl.DataFrame

    def matching(self, **wanted: str) -> set[str]:
        """The items whose fields hold all of these."""
        return {
            item_id
            for item_id, attributes in self.items.items()
            if all(value in attributes[name].split("|") for name, value in wanted.items())
        }

    def heaviest(self, user_id: str) -> pl.DataFrame:
        """What a user watched: item_id, seconds."""
        mine = self.events.filter(pl.col("user_id") == user_id)
        return mine.group_by("item_id").agg(seconds=pl.col("watch_seconds").sum())


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of streaming, trained on a small world, and of films, an app of one's own without any data."""
    home = tmp_path_factory.mktemp(f"api-{request.param}")
    with _database(request.param, home) as store_url:
        tables = _sample(home / "sample")
        asyncio.run(_fill(store_url, home, tables))
        (home / "films.toml").write_text(FILMS)
        items = {row.pop("item_id"): row for row in tables["items"].to_dicts()}
        with _server(store_url, home) as url:
            yield Served(url, store_url, home, items, tables["events"])


@pytest.fixture
def api(served: Served) -> Iterator[httpx.Client]:
    """A client of the server: every answer must keep what all of them promise."""
    with httpx.Client(base_url=served.url, event_hooks={"response": [_keeps_its_promises]}, timeout=20) as client:
        yield client


_numbers = itertools.count(1)


@pytest.fixture
def fresh() -> Callable[[str], str]:
    """Names nobody had before."""
    return lambda prefix: f"{prefix}-{next(_numbers)}"


@pytest.fixture
def new_item(api: httpx.Client, fresh: Callable[[str], str]) -> Callable[..., str]:
    """Creates items of streaming; answers their ids."""

    def create(item_id: str | None = None, **attributes: Any) -> str:
        item_id = item_id or fresh("item")
        attributes = {"title": f"Title of {item_id}", "content_type": "movie", "genre": "Drama"} | attributes
        answer = api.post("/v1/apps/streaming/items", json=[{"item_id": item_id, "attributes": attributes}])
        assert answer.json() == {"accepted": 1, "rejected": []}
        return item_id

    return create


@pytest.fixture
def play(api: httpx.Client) -> Callable[..., httpx.Response]:
    """Tells the generic API of a play."""

    def tell(user_id: str, item_id: str, value: float = 10, **more: Any) -> httpx.Response:
        event = {"user_id": user_id, "item_id": item_id, "event_type": "play", "value": value} | more
        return api.post("/v1/apps/streaming/events", json=event)

    return tell


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Waits until something holds, as of what is promised "within seconds"."""

    def wait(holds: Callable[[], bool]) -> None:
        give_up = time.monotonic() + 10
        while not holds():
            assert time.monotonic() < give_up, "it does not come to hold within 10 seconds"
            time.sleep(0.05)

    return wait


def _keeps_its_promises(response: httpx.Response) -> None:
    response.read()
    asked = f"{response.request.method} {response.request.url} -> {response.status_code} {response.text[:200]}"
    assert response.status_code < 500, asked
    assert response.headers["X-Request-ID"], asked
    if response.status_code < 400 or response.request.method == "HEAD":
        return
    assert response.headers["Content-Type"] == "application/problem+json", asked
    problem = orjson.loads(response.content)
    assert problem["status"] == response.status_code, asked
    assert problem["request_id"] == response.headers["X-Request-ID"], asked
    assert problem["title"], asked
    assert problem["detail"], asked
    assert problem["type"], asked


def _sample(folder: Path) -> dict[str, pl.DataFrame]:
    generate(folder, users=60, items=120, events=3_000, days=30)
    return {name: pl.read_csv(folder / f"{name}.csv") for name in ("users", "items", "events")}


async def _fill(store_url: str, home: Path, tables: dict[str, pl.DataFrame]) -> None:
    users, items, events = (tables[name].to_dicts() for name in ("users", "items", "events"))
    times = tables["events"]["timestamp"].str.to_datetime("%Y-%m-%dT%H:%M:%SZ").dt.epoch("s").to_list()
    async with open_store(store_url) as store:
        await put_items(store, "streaming", [ItemWrite(row.pop("item_id"), row) for row in items])
        await put_users(store, "streaming", [(row.pop("user_id"), row) for row in users])
        plays = [
            Event(row["user_id"], row["item_id"], "play", time * SECOND, row["watch_seconds"])
            for row, time in zip(events, times, strict=True)
        ]
        await append_events(store, "streaming", plays, times[-1] * SECOND)
        await train_app(find_recipe("streaming"), store, ArtifactStore(home / "models"), Outside())


@contextmanager
def _database(kind: str, home: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{home / 'homefeed.db'}"
        return
    configured = os.environ.get("HOMEFEED_TEST_POSTGRES_URL")
    if not configured:
        pytest.skip("HOMEFEED_TEST_POSTGRES_URL names no PostgreSQL; its role needs CREATEDB")
    url = make_url(configured).set(drivername="postgresql")
    name = f"homefeed_test_{uuid.uuid4().hex}"
    own = url.render_as_string(hide_password=False)
    asyncio.run(_execute(own, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
    try:
        yield url.set(database=name).render_as_string(hide_password=False)
    finally:
        asyncio.run(_execute(own, f"DROP DATABASE {name} WITH (FORCE)"))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def _server(store_url: str, home: Path) -> Iterator[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOMEFEED_")} | {
        "HOMEFEED_HOME": str(home),
        "HOMEFEED_DATABASE_URL": store_url,
        "HOMEFEED_APPS": f"streaming,{home / 'films.toml'}",
        "HOMEFEED_MAX_BODY_MEGABYTES": "1",
        "HOMEFEED_POLL_SECONDS": "0.1",
    }
    command = [sys.executable, "-W", "error", "-m", "uvicorn", "--factory", "homefeed.server:create_app"]
    log = home / "server.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--port", "0", "--no-access-log"], env=environment, cwd=home, stdout=file, stderr=file
        )
    try:
        yield _address(process, log)
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        # uvicorn ends by the signal it was sent, once it has shut down in good order.
        assert process.returncode in (0, -signal.SIGTERM), log.read_text()
        assert "Application shutdown complete" in log.read_text()
        assert "Traceback" not in log.read_text(), log.read_text()
    finally:
        process.kill()
        process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    give_up = time.monotonic() + 30
    while time.monotonic() < give_up and process.poll() is None:
        found = re.search(r"running on (http://[\d.:]+)", log.read_text())
        if found:
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"the server does not start:\n{log.read_text()}")
