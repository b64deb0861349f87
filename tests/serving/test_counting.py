"""Counts are of users: nobody makes an item popular alone, nor do creators their own, live or by training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.apps import find_recipe
from homefeed.dataset.log import read_log
from homefeed.environment import Environment
from homefeed.recipe import Recipe
from homefeed.serving import FeedRequest, LiveApp
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import put_users
from homefeed.train import train_app
from homefeed.types import DAY, SECOND, Event

NOW = 1_700_000_000 * SECOND
SHOP, COMMUNITY = find_recipe("shop"), find_recipe("community")
PRODUCTS = {"mug": "Kitchen", "pan": "Kitchen", "saw": "Tools", "awl": "Tools", "oar": "Boats"}

# What is tested here is the same on every database.
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


async def opened(recipe: Recipe, store: Store, folder: Path) -> LiveApp:
    app = LiveApp(recipe, store, ArtifactStore(folder), Environment(lambda: NOW))
    await app.start()
    return app


async def shown(app: LiveApp, feed: str, user: str | None = None) -> list[str]:
    answer = await app.recommend(FeedRequest(feed, user))
    assert answer.slate.failed == {}
    return [answer.catalog.item_id(position) for position in answer.slate.positions.tolist()]


def clicks(item: str, users: Sequence[str], ago: int = 1) -> list[Event]:
    times = range(NOW - ago * SECOND, 0, -2 * SECOND)
    return [Event(user, item, "product_click", time) for user, time in zip(users, times, strict=False)]


@pytest.fixture
async def shop(store: Store, tmp_path: Path) -> LiveApp:
    products = [
        ItemWrite(item, {"name": item, "main_category": category, "sub_category": category}, NOW - DAY)
        for item, category in PRODUCTS.items()
    ]
    await put_items(store, "shop", products)
    return await opened(SHOP, store, tmp_path)


@pytest.mark.parametrize("trained", [False, True])
async def test_three_hundred_clicks_of_one_user_come_after_two_of_two(
    shop: LiveApp, tmp_path: Path, trained: bool
) -> None:
    await shop.append(clicks("mug", ["u", "v"]) + clicks("oar", ["bot"] * 300))
    if trained:
        await train_app(SHOP, shop.store, shop.artifacts, shop.environment)
        await shop.catch_up()
        await shop.append(clicks("oar", ["bot"] * 300, ago=2))
    await shop.refresh()
    # A newcomer's home is what trends.
    assert [(await shown(shop, feed))[0] for feed in ("popular", "top_categories")] == ["mug", "mug"]
    assert [(await shown(shop, feed, "new"))[0] for feed in ("trending", "home")] == ["mug", "mug"]
    popular = await shop.recommend(FeedRequest("popular"))
    reasons = dict(zip(await shown(shop, "popular"), popular.slate.reasons, strict=True))
    assert reasons["mug"] == "Popular: viewed or bought by 2 shoppers"
    assert reasons["oar"] == "Not viewed by many yet"


async def counts(app: LiveApp) -> list[list[float]]:
    found = app.follower.parts.counters
    left = found.trend * found.trend_at(NOW)
    return [found.events.tolist(), found.strength.round(9).tolist(), left.round(9).tolist()]


async def test_what_is_counted_live_is_what_a_new_server_and_a_training_count(
    shop: LiveApp, tmp_path: Path
) -> None:
    rng = np.random.default_rng(3)

    async def some(count: int) -> None:
        kinds, items = ["product_click", "purchase"], [*PRODUCTS]
        await shop.append(
            [
                Event(f"u{rng.integers(6)}", items[rng.integers(5)], kinds[rng.integers(2)], int(time))
                for time in rng.integers(NOW - 40 * DAY, NOW, count)
            ]
        )

    await some(40)
    await train_app(SHOP, shop.store, shop.artifacts, shop.environment, models=["signals"])
    await shop.catch_up()
    for _ in range(10):
        await some(4)
    live = await counts(shop)
    assert max(live[0]) <= 6
    assert live == await counts(await opened(SHOP, shop.store, tmp_path / "untrained"))
    assert live == await counts(await opened(SHOP, shop.store, tmp_path))
    await train_app(SHOP, shop.store, shop.artifacts, shop.environment, models=["signals"])
    assert await shop.catch_up()
    assert live == await counts(shop)


@pytest.fixture
async def town(store: Store, tmp_path: Path) -> LiveApp:
    def post(item: str, creator: str) -> ItemWrite:
        said: dict[str, Any] = {"title": item, "community_id": "north", "item_type": "post", "creator_id": creator}
        return ItemWrite(item, said, NOW - DAY)

    await put_items(store, "community", [post("mine", "ann"), post("theirs", "ben"), post("other", "Ann")])
    await put_users(store, "community", [(user, {"community_id": "north"}) for user in ("ann", "ben", "cem")])
    return await opened(COMMUNITY, store, tmp_path)


async def test_what_an_author_does_to_their_own_post_counts_for_nothing(town: LiveApp, tmp_path: Path) -> None:
    views = [Event("ann", "mine", "view", NOW - n * SECOND, 30.0) for n in range(300)]
    shares = [Event("ann", "mine", kind, NOW) for kind in ("share", "report", "like")]
    others = [Event("cem", "mine", "view", NOW, 30.0), Event("ann", "theirs", "share", NOW)]
    of_like_name = Event("ann", "other", "like", NOW)
    await town.append([*views, *shares, *others, of_like_name])
    expected = [1.0, 1.0, 1.0]
    assert (await counts(town))[0] == expected
    assert town.follower.parts.counters.distinct("report").tolist() == [0, 0, 0]
    page = await town.recommend(FeedRequest("popular", "cem"))
    reasons = dict(zip(await shown(town, "popular", "cem"), page.slate.reasons, strict=True))
    assert reasons["mine"] == "Few have seen this yet"
    log = await read_log(town.store, COMMUNITY, now=NOW, seed=0)
    assert len(log.data.interactions) == 3, "nor is a model trained on it"
    await train_app(COMMUNITY, town.store, town.artifacts, town.environment, models=["signals"])
    trained = await opened(COMMUNITY, town.store, tmp_path)
    assert (await counts(trained))[0] == expected
    assert trained.follower.parts.counters.distinct("report").tolist() == [0, 0, 0]
