"""How many different users told an event of an item: one by one or by training, on any server, it is the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.environment import Environment
from homefeed.recipe import parse_recipe
from homefeed.serving import FeedRequest, LiveApp
from homefeed.store import Store, open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.items import ItemWrite, put_items
from homefeed.train import train_app
from homefeed.types import SECOND, Event

APP = "town"
NOW = 1_700_000_000 * SECOND
DECLARED: dict[str, Any] = {
    "app": APP,
    "items": {"fields": {"title": "text"}},
    "events": {"like": {}, "report": {"weight": -1.0}},
    "signals": {"distinct": ["report"]},
    "feeds": {
        "home": {
            "filter": {"reported": {"field": "", "event": "report", "min_reports": 2}},
            "retrieve": {"popular": {}},
            "rank": {"weighted": {"weights": {"popular": 1.0}}},
        }
    },
}
RECIPE = parse_recipe(DECLARED, "a test")
ITEMS = [f"i{n}" for n in range(6)]

# What is tested here is the same on every database.
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


async def opened(store: Store, folder: Path) -> LiveApp:
    app = LiveApp(RECIPE, store, ArtifactStore(folder), Environment(lambda: NOW))
    await app.start()
    return app


@pytest.fixture
async def app(store: Store, tmp_path: Path) -> LiveApp:
    await put_items(store, APP, [ItemWrite(item, {}, 1) for item in ITEMS])
    return await opened(store, tmp_path)


@pytest.fixture
async def other(app: LiveApp, store_url: str, tmp_path: Path) -> AsyncIterator[LiveApp]:
    """Another server of the same app."""
    async with open_store(store_url) as store:
        yield await opened(store, tmp_path)


def report(user: str, item: str, ago: int = 60) -> Event:
    return Event(user, item, "report", NOW - ago * SECOND)


async def shown(app: LiveApp, user: str | None = None) -> list[str]:
    answer = await app.recommend(FeedRequest("home", user))
    return sorted(answer.catalog.item_id(position) for position in answer.slate.positions.tolist())


async def test_a_second_user_counts_and_the_same_one_again_does_not(app: LiveApp, other: LiveApp) -> None:
    await app.append([report("u", "i0"), report("u", "i0", 50), report("u", "i1"), report("v", "i1")])
    await app.append([report("u", "i0", 40), Event("w", "i0", "like", NOW)])
    assert await shown(app) == ["i0", "i2", "i3", "i4", "i5"]
    assert await shown(other) == ITEMS
    await other.follow()
    assert await shown(other) == ["i0", "i2", "i3", "i4", "i5"]
    await other.append([report("v", "i0")])
    assert await shown(other) == ["i2", "i3", "i4", "i5"]


async def test_training_counts_what_was_counted_one_by_one(app: LiveApp, other: LiveApp, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)

    async def told(count: int) -> None:
        users, items = rng.integers(4, size=count), rng.integers(6, size=count)
        events = [
            report(f"u{user}", f"i{item}", ago) for ago, (user, item) in enumerate(zip(users, items, strict=True))
        ]
        await app.append(events)
        pairs.update(zip(users.tolist(), items.tolist(), strict=True))

    pairs: set[tuple[int, int]] = set()
    await told(5)
    await train_app(RECIPE, app.store, app.artifacts, app.environment)
    await told(4)
    assert await app.catch_up()
    await told(3)
    await other.catch_up()
    late = await opened(app.store, tmp_path)
    expected = [f"i{item}" for item in range(6) if sum(told == item for _, told in pairs) < 2]
    assert 0 < len(expected) < 6
    for server in (app, other, late):
        assert await shown(server) == expected
