"""The impression log: what waits is written once, none of it is lost unnoticed, and not too much of it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from homefeed.environment import Environment
from homefeed.recipe import parse_recipe
from homefeed.serving import Answer, FeedRequest, LiveApp, impressions
from homefeed.serving.impressions import ImpressionLog
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.impressions import Impression, impressions_of_request, write_impressions
from homefeed.store.items import ItemWrite, get_item, put_items
from homefeed.store.users import get_user, put_users
from homefeed.types import SECOND, Event

APP = "shop"
NOW = 1_700_000_000 * SECOND

# What is tested here is the same on every database.
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def shown(number: int) -> Impression:
    one = np.ones(1, np.float32)
    items = np.array([number], np.int32)
    return Impression(f"r{number}", "home", None, number, 0, items, one, one, ("popular",), one[:, None], {})


def add(log: ImpressionLog, number: int) -> None:
    log.add(f"r{number}", None, partial(shown, number))


class Writing:
    """Stands in for the store's `write_impressions`: counts, fails or waits as it is told to, then writes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(impressions, "write_impressions", self)
        self.groups: list[int] = []
        self.failing = False
        self.begun, self.go = asyncio.Event(), asyncio.Event()
        self.go.set()

    async def __call__(self, store: Store, app: str, group: Sequence[Impression]) -> None:
        self.groups.append(len(group))
        self.begun.set()
        await self.go.wait()
        if self.failing:
            raise OSError("the disk is full")
        await write_impressions(store, app, group)


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch) -> Writing:
    return Writing(monkeypatch)


@pytest.fixture
def log(store: Store) -> ImpressionLog:
    return ImpressionLog(store, APP)


async def in_store(store: Store, numbers: range) -> list[int]:
    return [n for n in numbers if await impressions_of_request(store, APP, f"r{n}")]


async def test_what_was_added_is_written_once(store: Store, log: ImpressionLog, writing: Writing) -> None:
    for number in range(3):
        add(log, number)
    assert writing.groups == [], "nothing is written while a request waits"
    assert await log.flush() == 3
    assert await log.flush() == 0
    assert writing.groups == [3]
    add(log, 3)
    assert await log.flush() == 1
    assert await in_store(store, range(5)) == [0, 1, 2, 3]
    assert log.take_lost() == 0


def test_whose_the_latest_pages_are(log: ImpressionLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(impressions, "_MOST_SHOWN", 3)
    for request_id, user in [("a", 1), ("b", 2), ("b", 2), ("c", None), ("b", 1)]:
        log.add(request_id, user, partial(shown, 0))
    assert log.shown == {"a": 1, "b": None, "c": None}
    log.add("d", 4, partial(shown, 0))
    assert log.shown == {"b": None, "c": None, "d": 4}


async def test_many_are_written_in_groups(store: Store, log: ImpressionLog, writing: Writing) -> None:
    for number in range(1_234):
        add(log, number)
    assert await log.flush() == 1_234
    assert sum(writing.groups) == 1_234
    assert max(writing.groups) <= 500
    assert await in_store(store, range(0, 1_234, 50)) == list(range(0, 1_234, 50))


async def test_what_cannot_be_written_waits(store: Store, log: ImpressionLog, writing: Writing) -> None:
    for number in range(600):
        add(log, number)
    writing.failing = True
    for _ in range(2):
        with pytest.raises(OSError, match="full"):
            await log.flush()
    add(log, 600)
    writing.failing = False
    assert await log.flush() == 601
    assert await in_store(store, range(0, 601, 25)) == list(range(0, 601, 25))
    assert log.take_lost() == 0


async def test_what_is_cut_short_is_written_the_next_time(
    store: Store, log: ImpressionLog, writing: Writing
) -> None:
    add(log, 0)
    writing.go.clear()
    flushing = asyncio.create_task(log.flush())
    await writing.begun.wait()
    flushing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await flushing
    writing.go.set()
    assert await log.flush() == 1
    assert await in_store(store, range(1)) == [0]


async def test_of_too_many_the_oldest_are_given_up_and_counted(
    store: Store, log: ImpressionLog, writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impressions, "_MOST_WAITING", 10)
    for number in range(25):
        add(log, number)
    assert log.take_lost() == 15
    assert log.take_lost() == 0
    add(log, 25)
    assert log.take_lost() == 1
    assert await log.flush() == 10
    assert await in_store(store, range(26)) == list(range(16, 26))


async def test_what_is_given_up_while_it_is_written_takes_nothing_else_with_it(
    store: Store, log: ImpressionLog, writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(impressions, "_MOST_WAITING", 10)
    for number in range(10):
        add(log, number)
    writing.go.clear()
    flushing = asyncio.create_task(log.flush())
    await writing.begun.wait()
    for number in range(10, 17):
        add(log, number)
    writing.go.set()
    await flushing
    await log.flush()
    assert await in_store(store, range(20)) == list(range(17))


async def test_what_is_added_while_it_writes_is_for_the_next_time(
    store: Store, log: ImpressionLog, writing: Writing
) -> None:
    add(log, 0)
    writing.go.clear()
    flushing = asyncio.create_task(log.flush())
    await writing.begun.wait()
    add(log, 1)
    writing.go.set()
    assert await flushing == 1
    assert await in_store(store, range(2)) == [0]
    assert await log.flush() == 1
    assert await in_store(store, range(2)) == [0, 1]


RECIPE = parse_recipe(
    {
        "app": APP,
        "items": {"fields": {"title": "text", "quality": "number"}},
        "users": {"fields": {"secret": "category"}},
        "events": {"buy": {}},
        "privacy": {"opt_out": "secret"},
        "feeds": {
            "home": {
                "retrieve": {"popular": {}, "explore": {"slots": 1}},
                "features": {"quality": {}},
                "rank": {"weighted": {"weights": {"popular": 1.0, "quality": 0.5}}},
                "rerank": {"explore": {"places": [1]}},
            }
        },
    },
    "a test",
)


@pytest.fixture
async def app(store: Store, tmp_path: Path) -> LiveApp:
    """Twenty items, of which each is bought more often than the one after; the last four are new."""
    writes = [ItemWrite(f"i{n}", {"title": f"Item {n}", "quality": n % 5 / 5}, 1) for n in range(16)]
    await put_items(store, APP, [*writes, *(ItemWrite(f"i{n}", {}, NOW - SECOND) for n in range(16, 20))])
    await put_users(store, APP, [("u", {}), ("refuses", {"secret": "yes"})])
    app = LiveApp(RECIPE, store, ArtifactStore(tmp_path), Environment(lambda: NOW))
    await app.start()
    await app.append([Event(f"w{n}", f"i{i}", "buy", n) for i in range(16) for n in range(16 - i)])
    await app.refresh()
    return app


async def asked(app: LiveApp, user: str | None = "u", cursor: str | None = None) -> Answer:
    return await app.recommend(FeedRequest("home", user, 5, cursor))


async def test_an_impression_tells_all_of_the_page(app: LiveApp) -> None:
    answer = await asked(app)
    written = answer.impression("r")
    ids = [answer.catalog.item_id(position) for position in answer.slate.positions.tolist()]
    assert written.items.tolist() == [(await get_item(app.store, APP, item_id)).number for item_id in ids]
    assert (written.request_id, written.feed, written.time, written.start) == ("r", "home", NOW, 0)
    assert written.user == (await get_user(app.store, APP, "u")).number
    assert written.scores.tolist() == answer.slate.scores.tolist()
    assert written.models == app.model_versions
    told: dict[str, float] = {}
    for row, item_id in enumerate(ids):
        trace = await app.explain(FeedRequest("home", "u", 5), item_id)
        assert trace.place == row + 1
        told = {feature.name: feature.value for feature in trace.features}
        assert dict(zip(written.feature_names, written.features[row].tolist(), strict=True)) == told
        assert (float(written.scores[row]), float(written.propensities[row])) == (trace.score, trace.propensity)
    assert set(told) == {"popular", "explore", "quality"}
    # The second place is given by lot, to one of the four that are new.
    assert written.propensities.tolist() == [1.0, 0.25, 1.0, 1.0, 1.0]
    assert ids[1] in {"i16", "i17", "i18", "i19"}
    assert len(set(map(tuple, written.features.tolist()))) > 2, "the rows differ"


async def test_a_later_page_starts_where_the_one_before_ended(app: LiveApp) -> None:
    first = await asked(app)
    second = await asked(app, cursor=first.next_cursor)
    third = await asked(app, cursor=second.next_cursor)
    assert [answer.impression("r").start for answer in (first, second, third)] == [0, 5, 10]
    assert second.impression("r").propensities.tolist() == [1.0] * 5


@pytest.mark.parametrize("user", ["refuses", "nobody knows", None])
async def test_nobodys_number_is_written_of_who_is_unknown_or_refuses(app: LiveApp, user: str | None) -> None:
    answer = await asked(app, user)
    assert answer.impression("r").user is None
    assert len(answer.impression("r").items) == 5


async def test_who_changes_their_mind_is_written_of_as_they_say_then(app: LiveApp) -> None:
    number = (await get_user(app.store, APP, "refuses")).number
    for secret, expected in (("no", number), ("TRUE", None), ("", number), (True, None)):
        await put_users(app.store, APP, [("refuses", {"secret": secret})])
        await app.follow()
        assert (await asked(app, "refuses")).impression("r").user == expected


async def test_a_page_says_which_feed_and_ranker_answered(store: Store, tmp_path: Path) -> None:
    popular = {"retrieve": {"popular": {}}, "rank": {"mine": {"part": "weighted", "weights": {"popular": 1.0}}}}
    fresh = {"retrieve": {"fresh": {}}, "rank": {"weighted": {"weights": {"fresh": 1.0}}}}
    declared = {
        "app": APP,
        "items": {"fields": {"title": "text"}},
        "events": {"like": {}},
        "feeds": {"home": popular | {"cold_start": "new"}, "new": fresh},
    }
    recipe = parse_recipe(declared, "a test")
    await put_items(store, APP, [ItemWrite(f"i{n}", {"title": "x"}, n + 1) for n in range(3)])
    await put_users(store, APP, [("v", {})])
    app = LiveApp(recipe, store, ArtifactStore(tmp_path), Environment(lambda: NOW))
    await app.start()
    await app.append([Event("u", "i0", "like", NOW - SECOND)])
    answers = [await app.recommend(FeedRequest("home", user_id=user)) for user in ("u", "v")]
    served_by = [answer.impression("r").served_by for answer in answers]
    assert served_by == ["home/mine", "new/weighted"]
