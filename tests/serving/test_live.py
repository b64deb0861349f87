"""A live app: what is written shows in the very next request, whoever wrote it, whatever fails meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.errors import InvalidError, NotFoundError
from homefeed.serving import FeedRequest, LiveApp, event_gate, follower
from homefeed.store import Store, open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import LogRows, Outcome, rows_after
from homefeed.store.items import ItemWrite, delete_item, patch_item, put_items
from homefeed.store.users import erase_user, patch_user, put_users
from homefeed.types import DAY, SECOND, Condition, Event

APP = "streaming"
RECIPE = find_recipe(APP)
NOW = 1_700_000_000 * SECOND
EVERYTHING = ["a", "b", "c", "d"]

either_store = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For what is the same on every database: a database of one's own takes PostgreSQL a second."""


async def opened(store: Store, folder: Path, *, replicas: bool = False) -> LiveApp:
    app = LiveApp(RECIPE, store, ArtifactStore(folder), Environment(lambda: NOW), replicas=replicas)
    await app.start()
    return app


@pytest.fixture
async def app(store: Store, tmp_path: Path) -> LiveApp:
    await put_films(store, *EVERYTHING)
    return await opened(store, tmp_path)


@pytest.fixture
async def other(app: LiveApp, store_url: str, tmp_path: Path) -> AsyncIterator[LiveApp]:
    """Another server of the same app."""
    async with open_store(store_url) as store:
        yield await opened(store, tmp_path)


async def put_films(store: Store, *item_ids: str) -> None:
    films = [ItemWrite(i, {"title": f"Film {i}", "content_type": "movie"}, NOW - 5 * DAY) for i in item_ids]
    await put_items(store, APP, films)


def play(user: str = "u", item: str = "a", value: float = 60.0, ago: int = 60) -> Event:
    return Event(user, item, "play", NOW - ago * SECOND, value)


async def shown(app: LiveApp, user: str | None = "u", feed: str = "home", **more: object) -> list[str]:
    answer = await app.recommend(FeedRequest(feed, user, **more))  # type: ignore[arg-type]
    assert answer.slate.failed == {}
    return [answer.catalog.item_id(position) for position in answer.slate.positions.tolist()]


async def is_cold(app: LiveApp, user: str | None) -> bool:
    return (await app.recommend(FeedRequest("home", user))).slate.cold_start


async def watched(app: LiveApp, user: str = "u") -> list[str]:
    state = await app.user_state(user)
    return [app.catalog.item_id(position) for position in state.history.items.tolist()]


async def test_an_event_changes_the_very_next_request_of_its_user_and_of_nobody_else(app: LiveApp) -> None:
    assert set(await shown(app)) == set(await shown(app, "v")) == set(EVERYTHING)
    assert await app.append([play(value=5_000)]) == [Outcome.ACCEPTED]
    assert set(await shown(app)) == {"b", "c", "d"}
    assert set(await shown(app, "v")) == set(EVERYTHING)
    for number, item in enumerate("bcd"):
        await app.append([play(item=item, value=5_000)])
        assert set(await shown(app)) == set(EVERYTHING[2 + number :])


@either_store
async def test_each_of_many_events_is_in_the_next_state(app: LiveApp) -> None:
    for count in range(1, 30):
        await app.append([play(item=EVERYTHING[count % 4], ago=100 - count)])
        assert await watched(app) == [EVERYTHING[n % 4] for n in range(1, count + 1)]


@either_store
async def test_an_event_counts_for_everybody(app: LiveApp) -> None:
    await app.append([play(item="c"), play("v", "c"), play("v", "c"), play("v", "nowhere")])
    await app.refresh()
    answer = await app.recommend(FeedRequest("popular"))
    assert answer.catalog.item_id(int(answer.slate.positions[0])) == "c"
    assert answer.slate.reasons[0] == "Popular: 2 viewers"


async def test_a_new_item_is_eligible_once_followed(app: LiveApp) -> None:
    await put_films(app.store, "new")
    for feed in ("home", "popular", "fresh"):
        assert "new" not in await shown(app, feed=feed)
    await app.follow()
    await app.refresh()
    for feed in ("home", "popular", "fresh"):
        assert "new" in await shown(app, feed=feed)
    assert await app.append([play(item="new")]) == [Outcome.ACCEPTED]
    assert await watched(app) == ["new"]


@either_store
async def test_an_event_of_an_item_nobody_followed_yet_is_in_the_next_state(app: LiveApp) -> None:
    await put_films(app.store, "new")
    await app.append([play(item="new", value=5_000)])
    assert await watched(app) == ["new"]
    assert "new" not in await shown(app)


async def test_hidden_and_deleted_items_are_gone_at_once(app: LiveApp, other: LiveApp) -> None:
    await app.append([play(item="d")])
    await patch_item(app.store, APP, "a", {}, hidden=True)
    await delete_item(app.store, APP, "b")
    for one in (app, other):
        await one.follow()
        for user in ("u", None):
            for feed in ("home", "popular", "fresh", "trending"):
                assert not {"a", "b"} & set(await shown(one, user, feed))
        assert not {"a", "b"} & set(await shown(one, None, "similar", item_id="d"))
    await patch_item(app.store, APP, "a", {}, hidden=False)
    await put_films(app.store, "b")
    await app.follow()
    assert set(await shown(app, None)) == set(EVERYTHING)


async def test_what_was_watched_of_a_deleted_item_is_no_history(app: LiveApp) -> None:
    await app.append([play(item="a")])
    assert await watched(app) == ["a"]
    await delete_item(app.store, APP, "a")
    await app.follow()
    assert await watched(app) == []
    assert (await app.recommend(FeedRequest("home", "u"))).slate.cold_start
    with pytest.raises(NotFoundError):
        await app.recommend(FeedRequest("similar", item_id="a"))
    await put_films(app.store, "a")
    await app.follow()
    assert await watched(app) == ["a"]


@either_store
async def test_a_changed_item_is_filtered_as_it_is_now(app: LiveApp) -> None:
    series = (Condition("content_type", ":", "series"),)
    assert await shown(app, conditions=series) == []
    await patch_item(app.store, APP, "b", {"content_type": "series"})
    await app.follow()
    assert await shown(app, conditions=series) == ["b"]


async def test_events_of_another_server_are_seen_once_followed(app: LiveApp, other: LiveApp) -> None:
    assert await watched(app) == []
    await other.append([play(), play("v", "b")])
    assert await watched(other) == ["a"]
    await app.follow()
    assert (await watched(app), await watched(app, "v")) == (["a"], ["b"])
    await other.append([play(item="c", ago=1)])
    assert await watched(app) == ["a"]
    await app.follow()
    assert await watched(app) == ["a", "c"]
    assert app.follower.parts.counters.events.tolist() == [1.0, 1.0, 1.0, 0.0]


async def test_a_replica_sees_events_of_another_server_at_once(app: LiveApp, tmp_path: Path) -> None:
    replica = await opened(app.store, tmp_path, replicas=True)
    for count in range(1, 6):
        await app.append([play(item=EVERYTHING[count % 4], ago=100 - count)])
        assert len(await watched(replica)) == count
    await app.append([play(item="c", value=5_000)])
    assert "c" not in await shown(replica)


async def test_an_erased_user_is_a_stranger_everywhere(app: LiveApp, other: LiveApp) -> None:
    await put_users(app.store, APP, [("u", {"age": 40})])
    await app.append([play(), play("v")])
    await other.follow()
    for one in (app, other):
        assert not await is_cold(one, "u")
    assert await erase_user(app.store, APP, "u") == 1
    for one in (app, other):
        await one.follow()
        assert await is_cold(one, "u")
        assert (await one.user_state("u")).attributes == {}
        assert not await is_cold(one, "v")
    await other.append([play(item="b")])
    await app.follow()
    assert await watched(app) == await watched(other) == ["b"]


async def test_what_is_said_of_a_user_is_known_once_followed(app: LiveApp, other: LiveApp) -> None:
    await app.append([play()])
    for one in (app, other):
        assert (await one.user_state("u")).attributes == {}
    await put_users(app.store, APP, [("u", {"age": 40, "region": "north"}), ("w", {"age": 9})])
    for one in (app, other):
        await one.follow()
        assert (await one.user_state("u")).attributes == {"age": 40, "region": "north"}
        assert (await one.user_state("w")).attributes == {"age": 9}
    await patch_user(app.store, APP, "u", {"age": 41, "region": None})
    await app.follow()
    assert (await app.user_state("u")).attributes == {"age": 41}
    assert await watched(app) == ["a"]


@either_store
async def test_who_is_a_cold_start(app: LiveApp) -> None:
    await put_users(app.store, APP, [("quiet", {"age": 40})])
    await put_films(app.store, "gone")
    await app.append([play(), play("bereft", "gone"), replace(play("odd"), event_type="stare")])
    await delete_item(app.store, APP, "gone")
    newly = await opened(app.store, app.artifacts.root)
    for one in (app, newly):
        for user in ("unknown", "quiet", "odd", None):
            assert await is_cold(one, user)
        assert not await is_cold(one, "u")
    assert await is_cold(newly, "bereft")
    # Of a feed about an item nobody is a stranger.
    assert not (await app.recommend(FeedRequest("similar", item_id="a"))).slate.cold_start


@either_store
async def test_an_app_without_anything_answers(store: Store, tmp_path: Path) -> None:
    app = await opened(store, tmp_path)
    assert app.model_versions == {}
    for feed in ("home", "popular", "fresh", "trending"):
        for user in ("u", None):
            answer = await app.recommend(FeedRequest(feed, user))
            assert (len(answer.slate), answer.next_cursor, answer.slate.failed) == (0, None, {})
    assert await app.append([play()]) == [Outcome.UNKNOWN_ITEM]
    await put_films(store, "a")
    assert await app.append([play()]) == [Outcome.ACCEPTED]
    await app.refresh()
    assert await shown(app) == await shown(app, feed="trending") == ["a"]


@either_store
async def test_what_cannot_be_answered_is_told(app: LiveApp) -> None:
    with pytest.raises(NotFoundError, match='no feed "hone" in streaming; there are: popular'):
        await shown(app, feed="hone")
    with pytest.raises(NotFoundError, match='no item "nowhere"'):
        await shown(app, feed="similar", item_id="nowhere")
    with pytest.raises(InvalidError, match="item_id"):
        await shown(app, feed="similar")
    with pytest.raises(InvalidError, match="colour"):
        await shown(app, conditions=(Condition("colour", ":", "red"),))
    with pytest.raises(InvalidError, match="cursor"):
        await shown(app, cursor="nonsense")


@either_store
async def test_what_is_excluded_and_how_many(app: LiveApp) -> None:
    assert set(await shown(app, exclude=("a", "nowhere", "d"))) == {"b", "c"}
    assert len(await shown(app, n=2)) == 2
    assert len(await shown(app, n=1_000)) == 4


@either_store
async def test_an_explanation_sees_the_last_event_too(app: LiveApp) -> None:
    request = FeedRequest("home", "u")
    assert "Shown" in (await app.explain(request, "a")).verdict
    await app.append([play(value=5_000)])
    assert "consumption_limit" in (await app.explain(request, "a")).verdict
    with pytest.raises(NotFoundError):
        await app.explain(request, "nowhere")


@either_store
@pytest.mark.parametrize("part", ["changed_items", "changed_users", "rows_after"])
@pytest.mark.parametrize("how", [OSError, asyncio.CancelledError])
async def test_what_fails_half_way_is_taken_up_again(
    app: LiveApp, other: LiveApp, monkeypatch: pytest.MonkeyPatch, part: str, how: type[BaseException]
) -> None:
    await watched(app)
    await other.append([play()])
    await put_films(other.store, "new")
    await put_users(other.store, APP, [("u", {"age": 40})])
    with monkeypatch.context() as patched:
        patched.setattr(follower, part, failing(how))
        with pytest.raises(how):
            await app.follow()
    await app.follow()
    await app.refresh()
    assert (await watched(app), (await app.user_state("u")).attributes) == (["a"], {"age": 40})
    assert "new" in await shown(app)
    assert app.follower.parts.counters.events.tolist() == [1.0, 0.0, 0.0, 0.0, 0.0]


def failing(how: type[BaseException]) -> Callable[..., Awaitable[None]]:
    async def fail(*_: object, **__: object) -> None:
        raise how("on purpose")

    return fail


@either_store
async def test_a_durable_event_is_accepted_even_if_following_fails(
    app: LiveApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    await app.append([play()])
    assert await watched(app) == ["a"]
    with monkeypatch.context() as patched:
        patched.setattr(follower, "rows_after", failing(OSError))
        assert await app.append([play(item="b")]) == [Outcome.ACCEPTED]
        assert await watched(app) == ["a", "b"]
    await app.follow()
    assert app.follower.parts.counters.events.tolist() == [1.0, 1.0, 0.0, 0.0]


@either_store
async def test_an_event_of_an_item_that_came_while_following_is_counted_with_it(
    app: LiveApp, other: LiveApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def later(*arguments: Any, **named: Any) -> LogRows:
        if app.catalog.position("new") is None and "new" not in told:
            told.append("new")
            await put_films(other.store, "new")
            await other.append([play(item="new")])
        return await rows_after(*arguments, **named)

    told: list[str] = []
    await other.append([play()])
    monkeypatch.setattr(follower, "rows_after", later)
    for _ in range(2):
        await app.follow()
    assert told == ["new"]
    assert app.follower.parts.counters.events.tolist() == [1.0, 0.0, 0.0, 0.0, 1.0]
    assert await watched(app) == ["a", "new"]


@either_store
async def test_a_commit_that_fails_fails_its_events_and_writes_none(
    app: LiveApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(event_gate, "append_events", failing(OSError))
        with pytest.raises(OSError, match="on purpose"):
            await app.append([play()])
    assert await watched(app) == []
    assert await app.append([play(item="b")]) == [Outcome.ACCEPTED]
    assert await watched(app) == ["b"]


async def test_nothing_is_missed_while_all_happens_at_once(app: LiveApp, other: LiveApp) -> None:
    """Two servers, users acting and looking at once: what was acknowledged is in the next state."""
    app.follower._users._max_bytes = 2_000
    told: set[tuple[str, str]] = set()

    async def act(server: LiveApp, user: str, seed: int) -> None:
        rng = np.random.default_rng(seed)
        for count in range(1, 9):
            told.add((user, item := EVERYTHING[rng.integers(4)]))
            await server.append([play(user, item, ago=1_000 - count)])
            assert len(await watched(server, user)) == count

    async def look() -> None:
        while not done.is_set():
            await asyncio.gather(*(app.user_state(f"u{n}") for n in range(8)), other.follow(), app.follow())
            await asyncio.gather(app.refresh(), app.recommend(FeedRequest("home", "u1")))

    done = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        looking = [tasks.create_task(look()) for _ in range(2)]
        async with asyncio.TaskGroup() as acting:
            for n in range(8):
                acting.create_task(act((app, other)[n % 2], f"u{n}", n))
        done.set()
    assert all(task.done() for task in looking)
    for one in (app, other):
        await one.follow()
        assert [len(await watched(one, f"u{n}")) for n in range(8)] == [8] * 8
        assert one.follower.parts.counters.events.sum() == len(told)
