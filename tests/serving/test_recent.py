"""A user's next request: the same slate again while nothing has changed for it, and not a moment longer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed import funnel
from homefeed.environment import Environment
from homefeed.errors import NotFoundError
from homefeed.funnel import Feed
from homefeed.recipe import Recipe, parse_recipe
from homefeed.serving import Answer, FeedRequest, LiveApp, recommender
from homefeed.serving.recent import RecentAnswers
from homefeed.store import Store, open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import append_events
from homefeed.store.impressions import impressions_of_request
from homefeed.store.items import ItemWrite
from homefeed.train import train_app
from homefeed.types import DAY, SECOND, Condition, Event, Query, Slate

APP = "shelf"
START = 1_700_000_000 * SECOND
POPULAR = {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}
RECIPE: dict[str, Any] = {
    "app": APP,
    "items": {"fields": {"title": "text", "stock": "number", "team": "category", "ends": "time"}},
    "events": {"buy": {}, "look": {"about": "query"}, "report": {}},
    "signals": {"distinct": ["report"]},
    "users": {"fields": {"age": "number", "no_tracking": "category"}},
    "privacy": {"opt_out": "no_tracking"},
    "feeds": {
        "home": POPULAR,
        "brief": {**POPULAR, "reuse_seconds": 5},
        "never": {**POPULAR, "reuse_seconds": 0},
        "offers": {**POPULAR, "filter": {"expiry": {"field": "ends"}, "seen": False}},
        "chance": {
            "retrieve": {"popular": {}, "explore": {"slots": 2}},
            "rank": {"weighted": {"weights": {"popular": 1.0}}},
            "rerank": {"explore": {"places": [2, 4]}},
        },
    },
}
NAMES = [f"i{n}" for n in range(12)]

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


class Clock:
    now = START

    def __call__(self) -> int:
        return self.now


class Ranking:
    """Counts how often a feed is ranked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self._rank, self._together = funnel.rank, funnel.recommend_together
        monkeypatch.setattr(recommender, "rank", self._ranked)
        monkeypatch.setattr(recommender, "recommend_together", self._ranked_together)

    def _ranked(self, *given: Any) -> Any:
        self.count += 1
        return self._rank(*given)

    def _ranked_together(self, requests: Sequence[tuple[Feed, Query]]) -> list[Slate]:
        self.count += len(requests)
        return self._together(requests)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ranking(monkeypatch: pytest.MonkeyPatch) -> Ranking:
    return Ranking(monkeypatch)


@pytest.fixture
def recipe() -> Recipe:
    return parse_recipe(RECIPE, "test")


@pytest.fixture
async def app(store: Store, tmp_path: Path, clock: Clock, recipe: Recipe, ranking: Ranking) -> LiveApp:
    live = LiveApp(recipe, store, ArtifactStore(tmp_path / "models"), Environment(clock))
    await live.start()
    await live.writes.put_items([ItemWrite(name, {"title": name, "team": "a"}, START) for name in NAMES])
    await live.writes.put_user("u", {"age": 40})
    await live.writes.put_user("v", {})
    await live.append([buy(name) for name in NAMES[:6]])
    await live.append([buy("i0", user="u"), buy("i1", user="v")])
    await live.refresh()
    return live


@pytest.fixture
async def other(app: LiveApp, store_url: str, recipe: Recipe, clock: Clock) -> AsyncIterator[LiveApp]:
    """Another server of the same app."""
    async with open_store(store_url) as store:
        live = LiveApp(recipe, store, app.artifacts, Environment(clock))
        await live.start()
        yield live


def buy(item: str, user: str = "crowd", **more: Any) -> Event:
    return replace(Event(user, item, "buy", START, event_id=f"{item} {user}"), **more)


async def ask(app: LiveApp, feed: str = "home", user: str | None = "u", n: int = 5, **more: Any) -> Answer:
    return await app.recommend(FeedRequest(feed, user, n, **more))


async def reused(app: LiveApp, *given: Any, **more: Any) -> bool:
    return (await ask(app, *given, **more)).reused


async def test_an_answer_of_a_time_to_come_is_neither_given_again_nor_kept(app: LiveApp, clock: Clock) -> None:
    """It was made by a clock that was ahead: until that time it would stand still."""
    years = 1_095 * DAY
    clock.now = START + years
    assert not await reused(app)
    assert await reused(app)
    clock.now = START
    await app.catch_up()
    kept = RecentAnswers(1e9)
    answer = await ask(app)
    assert not answer.reused
    assert await reused(app)
    clock.now = START + SECOND
    assert await reused(app), "of this time it holds"
    request = FeedRequest("home", "u", 5)
    kept.find(request, 1, None, START)
    kept.keep(request, 1, None, replace(answer, time=START + years), 30.0)
    assert kept.find(request, 1, None, START + years) is not None
    assert kept.find(request, 1, None, START) is None
    kept.forget_expired(START)
    assert len(kept) == 0, "they would be in the way of those that are too old"


async def test_the_same_slate_is_given_again_without_ranking(app: LiveApp, clock: Clock, ranking: Ranking) -> None:
    first = await ask(app)
    assert (first.reused, ranking.count) == (False, 1)
    clock.now += 30 * SECOND
    again = await ask(app)
    assert (again.reused, ranking.count) == (True, 1)
    assert again.slate is first.slate
    arrays = (first.slate.positions, first.slate.scores, first.slate.features, first.slate.propensities)
    assert all(array.base is None for array in arrays), "those of all candidates are not kept for a page"
    assert again.next_cursor == first.next_cursor
    assert (first.time, again.time) == (START, START + 30 * SECOND)
    assert await reused(app)


async def test_after_its_time_it_is_made_anew(app: LiveApp, clock: Clock) -> None:
    for feed, seconds in (("home", 30), ("brief", 5)):
        await ask(app, feed)
        clock.now += seconds * SECOND
        assert await reused(app, feed)
        clock.now += 1
        assert not await reused(app, feed)
        assert await reused(app, feed)
    await ask(app, "never")
    assert not await reused(app, "never")


async def test_the_next_page_goes_on_behind_it_and_is_given_again_too(app: LiveApp) -> None:
    first = await ask(app)
    again = await ask(app)
    pages = [await ask(app, cursor=answer.next_cursor) for answer in (first, again)]
    assert [page.reused for page in pages] == [False, True]
    assert pages[0].slate.positions.tolist() == pages[1].slate.positions.tolist()
    assert not set(pages[0].slate.positions.tolist()) & set(first.slate.positions.tolist())
    assert [page.start for page in pages] == [5, 5]


OTHERS: dict[str, dict[str, Any]] = {
    "another user": {"user": "v"},
    "another unknown user": {"user": "w"},
    "another feed": {"feed": "brief"},
    "another length": {"n": 6},
    "a condition": {"conditions": (Condition("team", ":", "a"),)},
    "an exclusion": {"exclude": ("i7",)},
    "a context": {"context": {"device": "tv"}},
    "an anchor": {"item_id": "i3"},
}


@pytest.mark.parametrize("other_request", OTHERS.values(), ids=OTHERS)
async def test_another_request_is_answered_for_itself(app: LiveApp, other_request: dict[str, Any]) -> None:
    await ask(app)
    assert not await reused(app, **other_request)
    assert await reused(app, **other_request)
    assert await reused(app)


async def test_a_request_without_a_user_is_nobodys_to_give_again(app: LiveApp) -> None:
    for _ in range(2):
        assert not await reused(app, user=None)


Change = Callable[[LiveApp], Awaitable[Any]]
CHANGES: dict[str, Change] = {
    "an event": lambda app: app.append([buy("i9", user="u")]),
    "an event about a query": lambda app: app.append(
        [Event("u", "", "look", START, context={"query": "red shoes"})]
    ),
    "an attribute": lambda app: app.writes.patch_user("u", {"age": 41}),
    "a new description": lambda app: app.writes.put_user("u", {}),
    "an erasure": lambda app: app.writes.erase_user("u"),
    "another's erasure": lambda app: app.writes.erase_user("v"),
    "another's report": lambda app: app.append([Event("v", "i0", "report", START)]),
    "a hidden item": lambda app: app.writes.patch_item("i0", {}, hidden=True),
    "a deleted item": lambda app: app.writes.delete_item("i0"),
    "a changed word": lambda app: app.writes.patch_item("i0", {"team": "b"}),
    "a changed number": lambda app: app.writes.patch_item("i0", {"stock": 0}),
    "a new item": lambda app: app.writes.put_items([ItemWrite("new", {"title": "new"}, START)]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_change_that_the_user_would_see_ends_it(app: LiveApp, change: Change) -> None:
    await ask(app)
    assert await reused(app)
    await change(app)
    assert not await reused(app)
    assert await reused(app)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_so_does_one_on_another_server_once_followed(app: LiveApp, other: LiveApp, change: Change) -> None:
    await ask(app)
    await change(other)
    assert await reused(app)
    await app.follow()
    assert not await reused(app)


async def test_with_replicas_an_event_ends_it_at_once(app: LiveApp, recipe: Recipe, clock: Clock) -> None:
    replica = LiveApp(recipe, app.store, app.artifacts, Environment(clock), replicas=True)
    await replica.start()
    await ask(replica)
    assert await reused(replica)
    await append_events(app.store, APP, [buy("i9", user="u")], START)
    assert not await reused(replica)


async def test_a_new_model_ends_it(app: LiveApp, recipe: Recipe, clock: Clock) -> None:
    await ask(app)
    assert not await app.catch_up()
    assert await reused(app)
    await train_app(recipe, app.store, app.artifacts, Environment(clock))
    assert await app.catch_up()
    assert not await reused(app)


async def test_events_and_attributes_of_others_do_not_end_it(app: LiveApp) -> None:
    await ask(app)
    await app.append([buy("i11", user="v"), buy("i11", user="stranger")])
    await app.writes.patch_user("v", {"age": 30})
    await app.refresh()
    assert await reused(app)


async def test_a_new_item_is_shown_as_soon_as_it_is_sorted_in(app: LiveApp) -> None:
    def shown(answer: Answer) -> set[str]:
        return {app.catalog.item_id(position) for position in answer.slate.positions.tolist()}

    await app.writes.put_items([ItemWrite("new", {"title": "new"}, START)])
    assert "new" not in shown(await ask(app, n=50))
    await app.refresh()
    assert "new" in shown(await ask(app, n=50))
    assert await reused(app, n=50)


async def test_what_is_hidden_is_in_no_answer_again(app: LiveApp) -> None:
    shown = [app.catalog.item_id(p) for p in (await ask(app)).slate.positions.tolist()]
    await app.writes.patch_item(shown[0], {}, hidden=True)
    again = await ask(app)
    assert shown[0] not in [app.catalog.item_id(p) for p in again.slate.positions.tolist()]


async def test_what_is_over_meanwhile_is_in_no_answer_again(app: LiveApp, clock: Clock) -> None:
    def shown(answer: Answer) -> list[str]:
        return [app.catalog.item_id(position) for position in answer.slate.positions.tolist()]

    ends = {"title": "i0", "team": "a", "ends": (START + 10 * SECOND) // SECOND}
    await app.writes.put_items([ItemWrite("i0", ends, START)])
    first = await ask(app, "offers")
    assert "i0" in shown(first)
    (together,) = await app.recommend_together([FeedRequest("offers", "v", 5)])
    clock.now += 9 * SECOND
    assert await reused(app, "offers")
    clock.now += SECOND
    again = await ask(app, "offers")
    assert not again.reused
    assert shown(again) == [item for item in shown(await ask(app, "offers", n=6))[:5] if item != "i0"]
    assert "i0" not in shown(again)
    (alone,) = await app.recommend_together([FeedRequest("offers", "v", 5)])
    assert "i0" in shown(together)
    assert "i0" not in shown(alone)


async def test_of_who_opts_out_nothing_is_kept(app: LiveApp) -> None:
    await ask(app)
    await app.writes.patch_user("u", {"no_tracking": True})
    for _ in range(2):
        assert not await reused(app)
    assert len(app._recommender._recent) == 0
    await app.writes.patch_user("u", {"no_tracking": None})
    assert not await reused(app)
    assert await reused(app)


async def test_what_chance_chose_keeps_its_propensities(app: LiveApp) -> None:
    first, again = await ask(app, "chance"), await ask(app, "chance")
    assert again.reused
    assert (first.slate.propensities < 1).any()
    np.testing.assert_array_equal(first.slate.propensities, again.slate.propensities)


async def test_the_log_of_impressions_notes_it(app: LiveApp, clock: Clock) -> None:
    for request_id in ("first", "again"):
        answer = await ask(app)
        app.impressions.add(request_id, answer.user, partial(answer.impression, request_id))
        clock.now += SECOND
    await app.impressions.flush()
    (first,) = await impressions_of_request(app.store, APP, "first")
    (again,) = await impressions_of_request(app.store, APP, "again")
    assert (first.reused, again.reused) == (False, True)
    assert first.items.tolist() == again.items.tolist()
    assert (first.time, again.time) == (START, START + SECOND)
    assert first.user == again.user is not None


async def test_feeds_that_answer_together_are_each_given_again(app: LiveApp, ranking: Ranking) -> None:
    first = await app.recommend_together([FeedRequest(feed, "u", 5) for feed in ("home", "never")])
    again = await app.recommend_together([FeedRequest(feed, "u", 5) for feed in ("home", "never", "brief")])
    assert [answer.reused for answer in (*first, *again)] == [False, False, True, False, False]
    assert [answer.slate.feed for answer in again] == ["home", "never", "brief"]
    assert ranking.count == 4
    await app.append([buy("i9", user="u")])
    third = await app.recommend_together([FeedRequest(feed, "u", 5) for feed in ("home", "brief")])
    assert [answer.reused for answer in third] == [False, False]
    paged = await ask(app)
    assert not paged.reused
    assert paged.next_cursor is not None


async def test_a_slate_that_a_failure_narrowed_is_not_given_again(
    app: LiveApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = app.feeds["home"]
    with monkeypatch.context() as patched:
        patched.setattr(type(feed.retrievers["popular"][0]), "retrieve", lambda *_: 1 / 0)
        assert "popular" in (await ask(app)).slate.failed
    assert not await reused(app)
    assert await reused(app)


async def test_what_is_refused_is_refused_again(app: LiveApp) -> None:
    for _ in range(2):
        with pytest.raises(NotFoundError):
            await ask(app, "nowhere")
        with pytest.raises(NotFoundError):
            await ask(app, item_id="nothing")


async def test_answers_that_are_too_old_are_dropped(app: LiveApp, clock: Clock) -> None:
    recent = app._recommender._recent
    for user in ("u", "v"):
        await ask(app, user=user)
        clock.now += 20 * SECOND
    assert len(recent) == 2
    await app.catch_up()
    assert len(recent) == 1
    clock.now += 11 * SECOND
    await ask(app, user="w")
    assert list(recent._users) == ["w"]


async def test_only_so_many_are_kept(app: LiveApp) -> None:
    answer = await ask(app)
    one = RecentAnswers(1e9)
    one.find(FeedRequest("home", "u"), 1, "state", START)
    one.keep(FeedRequest("home", "u"), 1, "state", answer, 30)
    size = one._size
    recent = RecentAnswers(3.5 * size)
    for user in ("a", "b", "c", "a", "d", "e"):
        assert recent.find(FeedRequest("home", user, 9), 1, "state", START) is None
        recent.keep(FeedRequest("home", user), 1, "state", answer, 30)
    assert list(recent._users) == ["a", "d", "e"]
    assert recent._size == 3 * size
    for n in range(1, 30):
        one.keep(FeedRequest("home", "u", n), 1, "state", answer, 30)
    assert len(one) == 16
    assert one.find(FeedRequest("home", "u", 29), 1, "state", START) is not None
    assert one.find(FeedRequest("home", "u", 3), 1, "state", START) is None
    assert one.find(FeedRequest("home", "u", 29), 2, "state", START) is None
    assert (len(one), one._size) == (0, 0)
