"""Feeds that are the same whoever asks: made once for a while, and not a moment longer than they hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from homefeed.engine import build_feeds
from homefeed.environment import Environment
from homefeed.funnel import Feed, recommend
from homefeed.recipe import FeedSettings, parse_recipe
from homefeed.serving import FeedRequest, LiveApp
from homefeed.serving.slates import SharedSlates
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.items import ItemWrite, patch_item, put_items
from homefeed.testing import toy_world
from homefeed.testing.world import RECIPE as TOY
from homefeed.types import SECOND, Condition, Event

APP = "shelf"
START = 1_700_000_000 * SECOND
RECIPE: dict[str, Any] = {
    "app": APP,
    "items": {"fields": {"title": "text", "ends": "time"}},
    "events": {"buy": {}, "dislike": {"weight": -1}},
    "parts": {"filter": {"seen": False}},
    "feeds": {
        "popular": {
            "retrieve": {"popular": {}},
            "rank": {"weighted": {"weights": {"popular": 1.0}}},
            "shared_seconds": 2,
        },
        "offers": {
            "retrieve": {"popular": {}},
            "filter": {"expiry": {"field": "ends"}},
            "rank": {"weighted": {"weights": {"popular": 1.0}}},
            "shared_seconds": 60,
        },
        "own": {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}},
    },
}


class Clock:
    now = START

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def app(store: Store, tmp_path: Path, clock: Clock) -> LiveApp:
    await put_items(store, APP, [ItemWrite(name, {"title": name}) for name in ("a", "b", "c")])
    live = LiveApp(parse_recipe(RECIPE, "test"), store, ArtifactStore(tmp_path), Environment(clock))
    await live.start()
    return live


async def asked(app: LiveApp, feed: str = "popular", user: str | None = None, **more: Any) -> list[str]:
    (answer,) = await app.recommend_together([FeedRequest(feed, user, 3, **more)])
    return [answer.catalog.item_id(position) for position in answer.slate.positions.tolist()]


async def bought(app: LiveApp, item: str) -> None:
    await app.append(
        [Event("buyer", item, "buy", app.environment.clock(), event_id=f"{item}{app.environment.clock()}")]
    )
    await app.refresh()


pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


async def test_given_again_it_took_no_time(app: LiveApp) -> None:
    first, again = [(await app.recommend_together([FeedRequest("popular", n=3)]))[0].slate for _ in range(2)]
    assert first.seconds
    assert (again.seconds, again.failed, again.reasons) == ({}, {}, first.reasons)


async def test_it_is_given_again_for_a_while(app: LiveApp, clock: Clock) -> None:
    await bought(app, "a")
    assert await asked(app, user="one") == ["a", "c", "b"]
    await bought(app, "b")
    await bought(app, "b")
    clock.now += 2 * SECOND
    assert await asked(app, user="other") == ["a", "c", "b"]
    assert (await asked(app, "own"))[0] == "b"
    clock.now += 1
    assert await asked(app) == ["b", "a", "c"]


async def test_a_slate_of_a_time_to_come_is_not_given_again(app: LiveApp, clock: Clock) -> None:
    """It was made by a clock that was ahead: until that time it would stand still."""
    clock.now = START + 1_095 * 86_400 * SECOND
    assert (await asked(app))[0] == "c"
    clock.now = START
    await bought(app, "a")
    assert (await asked(app))[0] == "a"


async def test_what_is_hidden_is_gone_at_once(app: LiveApp) -> None:
    assert "a" in await asked(app)
    await patch_item(app.store, APP, "a", {}, hidden=True)
    await app.follow()
    assert "a" not in await asked(app)


async def test_other_requests_are_answered_for_themselves(app: LiveApp) -> None:
    everything = await asked(app)
    assert await asked(app, conditions=(Condition("title", ":", "b"),)) == ["b"]
    assert await asked(app, exclude=("a",)) == ["c", "b"]
    assert await asked(app) == everything


async def test_whether_they_are_new_is_told_of_each(app: LiveApp) -> None:
    (first,) = await app.recommend_together([FeedRequest("popular", "newcomer", 3)])
    await bought(app, "a")
    (second,) = await app.recommend_together([FeedRequest("popular", "buyer", 3)])
    assert (first.slate.cold_start, second.slate.cold_start) == (True, False)


def test_the_oldest_of_too_many_goes(store_url: str) -> None:
    world = toy_world()
    popular: Feed = build_feeds(parse_recipe(TOY, "toy"), world.resources)["popular"]
    feed = replace(popular, settings=FeedSettings(shared_seconds=60))
    shared = SharedSlates(size=2)
    queries = [world.query(n=n) for n in (1, 2, 3)]
    for query in queries:
        assert shared.find(feed, query, "state") is None
        shared.keep(feed, query, "state", recommend(feed, query))
    assert [shared.find(feed, query, "state") is None for query in queries] == [True, False, False]
    assert shared.find(feed, queries[2], "another state") is None
    assert shared.find(feed, queries[2], "state") is None


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"cold_start": "own"}, "it looks at who asks"),
        ({"history_days": 30}, "it looks at who asks"),
        ({"shared_seconds": 0}, "greater than 0"),
    ],
)
def test_what_looks_at_who_asks_is_not_shared(store_url: str, more: dict[str, Any], why: str) -> None:
    from homefeed.errors import RecipeError

    feeds = {**RECIPE["feeds"], "popular": {**RECIPE["feeds"]["popular"], **more}}
    with pytest.raises(RecipeError, match=why):
        parse_recipe({**RECIPE, "feeds": feeds}, "test")


async def test_what_is_over_meanwhile_is_not_given_again(app: LiveApp, clock: Clock) -> None:
    ends = {"title": "b", "ends": (START + 10 * SECOND) // SECOND}
    await put_items(app.store, APP, [ItemWrite("b", ends)])
    await app.catch_up()
    assert "b" in await asked(app, "offers", "anna")
    clock.now += 9 * SECOND
    assert "b" in await asked(app, "offers", "ben")
    clock.now += SECOND
    assert set(await asked(app, "offers", "cleo")) == {"a", "c"}


async def test_who_disliked_something_gets_an_answer_of_their_own(app: LiveApp) -> None:
    assert await asked(app, user="ann") == ["c", "b", "a"]
    await app.append([Event("ann", "a", "dislike", START)])
    assert await asked(app, user="ann") == ["c", "b"], "not the shared answer of a moment ago"
    assert await asked(app, user="bob") == ["c", "b", "a"], "nor is theirs shared with others"
