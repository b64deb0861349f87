"""Pages of a feed: none repeats an item and none skips one, whatever happens between them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.serving import FeedRequest, LiveApp
from homefeed.serving.cursor import MOST_SHOWN
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.items import ItemWrite, delete_item, patch_item, put_items
from homefeed.types import DAY, SECOND, Condition, Event

APP = "streaming"
NOW = 1_700_000_000 * SECOND
FEEDS = ("home", "popular", "fresh", "trending")
LEAST = 1.0
"""Watched for so short, an item is never watched heavily."""

# What is tested here is the same on every database.
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


async def opened(store: Store, folder: Path) -> LiveApp:
    app = LiveApp(find_recipe(APP), store, ArtifactStore(folder), Environment(lambda: NOW))
    await app.start()
    return app


async def put_films(store: Store, numbers: Iterable[int]) -> None:
    films = [
        ItemWrite(f"i{n}", {"title": f"Film {n}", "genre": ["Odd" if n % 2 else "Even"]}, NOW - n % 40 * DAY)
        for n in numbers
    ]
    await put_items(store, APP, films)


async def page(
    app: LiveApp, feed: str, n: int, cursor: str | None, **more: object
) -> tuple[list[str], str | None]:
    answer = await app.recommend(FeedRequest(feed, "u", n, cursor, **more))  # type: ignore[arg-type]
    return [answer.catalog.item_id(position) for position in answer.slate.positions.tolist()], answer.next_cursor


async def all_pages(app: LiveApp, feed: str, n: int, **more: object) -> list[list[str]]:
    pages: list[list[str]] = []
    cursor: str | None = None
    while cursor is not None or not pages:
        shown, cursor = await page(app, feed, n, cursor, **more)
        pages.append(shown)
    return pages


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize(("n", "sizes"), [(4, [4, 4, 4]), (5, [5, 5, 2]), (12, [12]), (13, [12])])
async def test_pages_are_full_and_the_last_one_says_so(
    store: Store, tmp_path: Path, feed: str, n: int, sizes: list[int]
) -> None:
    await put_films(store, range(12))
    pages = await all_pages(await opened(store, tmp_path), feed, n)
    assert [len(shown) for shown in pages] == sizes
    assert sorted(chain(*pages)) == sorted(f"i{i}" for i in range(12))


async def test_without_changes_pages_are_the_long_answer_cut(store: Store, tmp_path: Path) -> None:
    await put_films(store, range(40))
    app = await opened(store, tmp_path)
    await app.append([Event("u", f"i{n % 7}", "play", NOW - n * SECOND, LEAST) for n in range(20)])
    await app.refresh()
    for feed in ("popular", "fresh", "trending"):
        whole, _ = await page(app, feed, 40, None)
        assert list(chain(*await all_pages(app, feed, 7))) == whole


async def test_pages_keep_to_filters_exclusions_and_the_anchor(store: Store, tmp_path: Path) -> None:
    await put_films(store, range(30))
    app = await opened(store, tmp_path)
    odd = (Condition("genre", ":", "odd"),)
    pages = await all_pages(app, "similar", 4, conditions=odd, exclude=("i1", "i4"), item_id="i3")
    assert sorted(chain(*pages)) == sorted(f"i{n}" for n in range(5, 30, 2))


async def test_a_feed_ends_before_its_cursor_grows_too_long(store: Store, tmp_path: Path) -> None:
    await put_films(store, range(MOST_SHOWN + 300))
    app = await opened(store, tmp_path)
    shown = list(chain(*await all_pages(app, "popular", 450)))
    assert MOST_SHOWN <= len(shown) < MOST_SHOWN + 450
    assert len(set(shown)) == len(shown)


class Change:
    """Random changes of an app, and what they leave to be shown."""

    def __init__(self, store: Store, servers: list[LiveApp], seed: int) -> None:
        self.store, self.servers = store, servers
        self.rng = np.random.default_rng(seed)
        self.count = 40
        self.hidden: set[str] = set()
        self.deleted: set[str] = set()
        self.always = {f"i{n}" for n in range(self.count)}

    async def make(self) -> None:
        item = f"i{self.rng.integers(self.count)}"
        kind = self.rng.choice(["events", "new", "hide", "show", "delete", "revive", "retitle"])
        if kind == "events":
            await self.events()
        elif kind == "new":
            await put_films(self.store, range(self.count, self.count + 3))
            self.count += 3
        elif kind == "hide" and item not in self.deleted:
            await patch_item(self.store, APP, item, {}, hidden=True)
            self.hidden.add(item)
        elif kind == "show" and item in self.hidden:
            await patch_item(self.store, APP, item, {}, hidden=False)
            self.hidden.remove(item)
        elif kind == "delete" and item not in self.deleted:
            await delete_item(self.store, APP, item)
            self.deleted.add(item)
            self.hidden.discard(item)
        elif kind == "revive" and item in self.deleted:
            await put_films(self.store, [int(item[1:])])
            self.deleted.remove(item)
        elif kind == "retitle" and item not in self.deleted:
            await patch_item(self.store, APP, item, {"title": f"Another {item}"})
        self.always -= self.hidden | self.deleted

    async def events(self) -> None:
        server = self.servers[self.rng.integers(len(self.servers))]
        items, users = self.rng.integers(self.count, size=5), self.rng.choice(["u", "v", "w"], 5)
        times = NOW - self.rng.integers(1_000_000, size=5) * SECOND
        await server.append(
            [
                Event(str(user), f"i{item}", "play", int(time), LEAST)
                for user, item, time in zip(users, items, times, strict=True)
            ]
        )


@pytest.mark.parametrize("seed", range(6))
async def test_no_page_repeats_or_skips_whatever_changes_meanwhile_on_any_server(
    store: Store, tmp_path: Path, seed: int
) -> None:
    await put_films(store, range(40))
    servers = [await opened(store, tmp_path) for _ in range(2)]
    change = Change(store, servers, seed)
    await change.events()
    for feed in FEEDS:
        for server in servers:
            await server.follow()
            await server.refresh()
        change.always = {f"i{n}" for n in range(change.count)} - change.hidden - change.deleted
        shown: list[str] = []
        cursor: str | None = None
        for _ in range(100):
            for server in servers:
                await server.follow()
                if change.rng.random() < 0.5:
                    await server.refresh()
            server = servers[change.rng.integers(2)]
            found, cursor = await page(server, feed, int(change.rng.integers(1, 9)), cursor)
            assert not change.hidden & set(found)
            assert not change.deleted & set(found)
            assert found or cursor is None
            shown += found
            if cursor is None:
                break
            for _ in range(change.rng.integers(3)):
                await change.make()
        assert cursor is None
        assert len(set(shown)) == len(shown)
        assert change.always <= set(shown)
