"""Lists of one page: what stands above is left out below, and the lists are as long as they were asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from homefeed.environment import Environment
from homefeed.errors import RecipeError
from homefeed.recipe import parse_recipe
from homefeed.serving import FeedRequest, LiveApp
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.items import ItemWrite, put_items
from homefeed.types import SECOND, Event

START = 1_700_000_000 * SECOND
POPULAR = {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}
RECIPE: dict[str, Any] = {
    "app": "page",
    "items": {"fields": {"title": "text"}},
    "events": {"view": {"weight": 0.5}},
    "feeds": {
        "home": {**POPULAR, "cold_start": "first"},
        "first": {**POPULAR, "shared_seconds": 5},
        "second": {**POPULAR, "below": ["first"], "shared_seconds": 5},
        "third": {**POPULAR, "below": ["home", "first", "second"]},
    },
}

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.fixture
async def app(store: Store, tmp_path: Path) -> LiveApp:
    await put_items(store, "page", [ItemWrite(f"i{n}", {"title": f"Item {n}"}) for n in range(10)])
    live = LiveApp(parse_recipe(RECIPE, "test"), store, ArtifactStore(tmp_path), Environment(lambda: START))
    await live.start()
    return live


async def lists(app: LiveApp, *feeds: str, user: str = "u", n: int = 2) -> dict[str, list[str]]:
    answers = await app.recommend_together([FeedRequest(feed, user, n) for feed in feeds])
    for answer in answers:
        slate = answer.slate
        columns = (slate.scores, slate.reasons, slate.sources, slate.features, slate.propensities)
        assert all(len(column) == len(slate) for column in columns)
    return {
        feed: [answer.catalog.item_id(position) for position in answer.slate.positions.tolist()]
        for feed, answer in zip(feeds, answers, strict=True)
    }


async def test_a_list_leaves_out_what_stands_above_it(app: LiveApp) -> None:
    for _ in range(2):  # the second time from what was kept
        shown = await lists(app, "first", "second", "third")
        assert shown == {"first": ["i9", "i8"], "second": ["i7", "i6"], "third": ["i5", "i4"]}


async def test_a_list_by_itself_is_whole(app: LiveApp) -> None:
    assert await lists(app, "second", "third") == {"second": ["i9", "i8"], "third": ["i7", "i6"]}
    assert await lists(app, "third") == {"third": ["i9", "i8"]}


async def test_a_list_ends_where_there_is_no_more(app: LiveApp) -> None:
    shown = await lists(app, "first", "second", "third", n=4)
    assert [len(found) for found in shown.values()] == [4, 4, 2]


async def test_what_stands_in_for_a_feed_does_not_empty_the_list_it_is(app: LiveApp) -> None:
    cold = await lists(app, "home", "first", "third")
    assert cold == {"home": ["i9", "i8"], "first": ["i9", "i8"], "third": ["i7", "i6"]}
    await app.append([Event("u", "i0", "view", START)])
    warm = await lists(app, "home", "first", "third")
    assert not set(warm["third"]) & {*warm["home"], *warm["first"]}


@pytest.mark.parametrize("below", [["nothing"], ["second"]])
async def test_below_names_other_feeds(below: list[str], store_url: str) -> None:
    feeds = {**RECIPE["feeds"], "second": {**POPULAR, "below": below}}
    with pytest.raises(RecipeError, match=r"feeds\.second\.below names"):
        parse_recipe({**RECIPE, "feeds": feeds}, "test")
