"""The catalogue grows between requests, never within one, however items come meanwhile."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest

from homefeed.apps import find_recipe
from homefeed.catalog import CatalogSnapshot
from homefeed.environment import Environment
from homefeed.policy.availability import Availability
from homefeed.protocols import Refreshable
from homefeed.retrieve.popular import Popular
from homefeed.serving import FeedRequest, LiveApp
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.items import ItemWrite
from homefeed.types import DAY, SECOND, Item, Mask, Positions, Query, Scores

APP = "streaming"
NOW = 1_700_000_000 * SECOND

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""What is in memory is the same on every database."""


def films(*names: str) -> list[ItemWrite]:
    return [ItemWrite(name, {"title": f"Film {name}", "content_type": "movie"}, NOW - DAY) for name in names]


@pytest.fixture
async def app(store: Store, tmp_path: Path) -> LiveApp:
    app = LiveApp(find_recipe(APP), store, ArtifactStore(tmp_path), Environment(lambda: NOW))
    await app.start()
    await app.writes.put_items(films("a", "b"))
    await app.refresh()
    return app


async def shown(app: LiveApp, feed: str = "home") -> set[str]:
    slate = (await app.recommend(FeedRequest(feed, "u", n=500))).slate
    assert slate.failed == {}
    return {app.catalog.item_id(position) for position in slate.positions.tolist()}


class Stages:
    """Calls `meanwhile` in the midst of a request, and notes which snapshot its filter found."""

    def __init__(self, app: LiveApp, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], object]) -> None:
        self.app, self.meanwhile = app, meanwhile
        self.seen: list[CatalogSnapshot] = []
        judge, propose = Availability.filter, Popular.retrieve

        def filter_(part: Availability, query: Query) -> Mask:
            self.seen.append(app.catalog.snapshot)
            return judge(part, query)

        def retrieve(part: Popular, query: Query, k: int) -> tuple[Positions, Scores]:
            self.meanwhile()
            # Orders are sorted anew in a thread while requests are answered: here, just before one is taken.
            part.refresh()
            return propose(part, query, k)

        monkeypatch.setattr(Availability, "filter", filter_)
        monkeypatch.setattr(Popular, "retrieve", retrieve)


async def test_an_item_that_is_written_within_a_request_is_in_the_next(
    app: LiveApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    written: list[Future[int]] = []

    def write() -> None:
        new = films(f"new{len(written)}")
        thread = threading.Thread(
            target=lambda: written.append(asyncio.run_coroutine_threadsafe(app.writes.put_items(new), loop))
        )
        thread.start()
        thread.join()
        time.sleep(0.05)  # the item would be here by now if nothing kept it

    stages = Stages(app, monkeypatch, write)
    assert await shown(app) == {"a", "b"}
    assert len(stages.seen) == 1, "a request reads one snapshot: nothing is to be judged again"
    assert [await asyncio.wrap_future(future) for future in written] == [1]
    stages.meanwhile = lambda: None
    await app.refresh()
    assert await shown(app) == {"a", "b", "new0"}


async def test_a_change_within_a_request_is_refused(app: LiveApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled loops read masks without looking at their length: whatever would break the rule is found out."""
    item = Item("new", 99, {"title": "Film"}, NOW)
    Stages(app, monkeypatch, lambda: app.catalog.apply([item]))
    slate = (await app.recommend(FeedRequest("home", "u"))).slate
    why = "CatalogInUseError: the catalogue cannot change while a request reads it"
    assert list(slate.failed.values()) == [why]
    assert app.catalog.size == 2
    app.catalog.apply([item])
    assert app.catalog.size == 3


async def test_requests_are_right_while_items_come_and_orders_are_sorted(app: LiveApp) -> None:
    done = threading.Event()
    parts = [part for feed in app.feeds.values() for part, _ in feed.retrievers.values()]

    def sort() -> None:
        """What the server does beside the requests, over and over."""
        while not done.is_set():
            for part in parts:
                if isinstance(part, Refreshable):
                    part.refresh()
            time.sleep(0.001)

    async def write() -> None:
        for number in range(12):
            await app.writes.put_items(films(*(f"n{number}.{each}" for each in range(20))))

    sorting = threading.Thread(target=sort)
    sorting.start()
    sizes, before = set(), {"a", "b"}
    try:
        writing = asyncio.create_task(write())
        while not writing.done():
            for feed in ("home", "popular", "fresh", "trending"):
                found = await shown(app, feed)
                assert len(found) <= app.catalog.size
                if feed == "popular":
                    assert found >= before, "what a request has shown the next one still has"
                    before = found
                    sizes.add(len(found))
            await asyncio.sleep(0)
        await writing
    finally:
        done.set()
        sorting.join()
    await app.refresh()
    assert len(sizes) > 2, "items came while requests were answered"
    assert len(await shown(app, "popular")) == app.catalog.size == 2 + 12 * 20
