"""Replicas that share a feature store: what one takes is in the next answer of another, whatever gets lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.serving import FeedRequest, LiveApp
from homefeed.serving.features.memory import MemoryFeatures
from homefeed.serving.features.sharing import Keys
from homefeed.serving.user_cache import UserCache
from homefeed.serving.users import StoredUser
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import Outcome, append_events
from homefeed.store.items import ItemWrite, put_items
from homefeed.types import DAY, SECOND, Event

RECIPE = find_recipe("streaming")
NOW = 1_700_000_000 * SECOND
KEYS = Keys("homefeed", "streaming")

pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


class Shared(MemoryFeatures):
    """A store that replicas of one process share, as others a Redis; while it is `away` it loses everything."""

    shared: ClassVar = True
    away = False

    async def read(self, keys: Sequence[str]) -> list[bytes | None]:
        return [None] * len(keys) if self.away else await super().read(keys)

    async def write(self, values: Mapping[str, bytes], seconds: int) -> None:
        if not self.away:
            await super().write(values, seconds)

    async def replace(self, key: str, value: bytes) -> bytes | None:
        return None if self.away else await super().replace(key, value)

    @property
    def trouble(self) -> str | None:
        return "away" if self.away else None


class Replicas:
    """Two servers of one app, one of which has its own way to the feature store."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.shared, self.store = Shared(), store
        self.first, self.second = (self.another(folder) for _ in range(2))

    def another(self, folder: Path, features: MemoryFeatures | None = None) -> LiveApp:
        given = ArtifactStore(folder), Environment(lambda: NOW)
        return LiveApp(RECIPE, self.store, *given, features=features or self.shared)


@pytest.fixture
async def replicas(store: Store, tmp_path: Path) -> Replicas:
    films = [ItemWrite(i, {"title": f"Film {i}", "content_type": "movie"}, NOW - 5 * DAY) for i in "abcd"]
    await put_items(store, "streaming", films)
    made = Replicas(store, tmp_path)
    for app in (made.first, made.second):
        await app.start()
        await app.catch_up()
    return made


def play(user: str = "u", item: str = "a", ago: int = 60) -> Event:
    return Event(user, item, "play", NOW - ago * SECOND, 60.0)


async def watched(app: LiveApp, user: str = "u") -> list[str]:
    state = await app.user_state(user)
    return [app.catalog.item_id(position) for position in state.history.items.tolist()]


async def popular(app: LiveApp) -> list[str]:
    answer = await app.recommend(FeedRequest("popular", None, 10))
    return [app.catalog.item_id(position) for position in answer.slate.positions.tolist()]


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The users that were read from the database."""
    read: list[str] = []
    load = UserCache.load

    async def noted(self: UserCache, user_id: str) -> StoredUser:
        read.append(user_id)
        return await load(self, user_id)

    monkeypatch.setattr(UserCache, "load", noted)
    return read


async def test_an_event_of_one_is_in_the_next_answer_of_the_other(replicas: Replicas, loads: list[str]) -> None:
    for number, (taker, other) in enumerate(
        [(replicas.first, replicas.second), (replicas.second, replicas.first)] * 3
    ):
        await taker.append([play(item="abcd"[number % 4], ago=100 - number)])
        assert len(await watched(other)) == len(await watched(taker)) == number + 1
    # Each knows the user from memory but for the first time.
    assert len(loads) == 2
    counted = [app.follower.parts.counters.watermark for app in (replicas.first, replicas.second)]
    assert counted[0] == counted[1]


async def test_an_event_counts_once_however_it_was_learned(replicas: Replicas) -> None:
    assert await replicas.first.append([play()]) == [Outcome.ACCEPTED]
    assert await watched(replicas.second) == ["a"]
    assert await replicas.second.append([play()]) == [Outcome.DUPLICATE]
    for app in (replicas.first, replicas.second):
        await app.catch_up()
        assert await watched(app) == ["a"]
        assert app.follower.parts.counters.events.tolist() == [1, 0, 0, 0]


async def test_a_change_of_an_item_is_in_the_next_answer_of_the_other(replicas: Replicas) -> None:
    await replicas.first.append([play("u", item, ago) for ago, item in enumerate("abcd", 60)])
    assert set(await popular(replicas.second)) == set("abcd")
    await replicas.first.writes.patch_item("b", {}, hidden=True)
    assert set(await popular(replicas.second)) == set("acd")
    await replicas.second.writes.delete_item("c")
    assert set(await popular(replicas.first)) == set("ad")
    await replicas.first.writes.put_user("u", {"region": "north"})
    assert (await replicas.second.user_state("u")).attributes == {"region": "north"}


async def test_nothing_is_asked_of_the_database_where_nothing_was_written(
    replicas: Replicas, monkeypatch: pytest.MonkeyPatch
) -> None:
    await replicas.first.append([play()])
    assert await watched(replicas.first) == await watched(replicas.second) == ["a"]

    async def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(Store, "fetch", refuse)
    monkeypatch.setattr(Store, "rows", refuse)
    for app in (replicas.first, replicas.second) * 2:
        assert await watched(app) == ["a"]
        assert len(await popular(app)) == 4


async def test_who_another_described_is_not_read_from_the_database(
    replicas: Replicas, loads: list[str], tmp_path: Path
) -> None:
    await replicas.first.append([play("u"), play("v", "b")])
    assert (await watched(replicas.first), await watched(replicas.first, "v")) == (["a"], ["b"])
    await replicas.first.features.flush()
    third = replicas.another(tmp_path)
    await third.start()
    loads.clear()
    assert (await watched(third), await watched(third, "v")) == (["a"], ["b"])
    assert loads == []
    # What was written since is known to it, and what is in the store is not believed.
    await replicas.second.append([play("v", "c", ago=1)])
    assert await watched(third, "v") == ["b", "c"]
    fourth = replicas.another(tmp_path)
    await fourth.start()
    assert (await watched(fourth, "v"), await watched(fourth)) == (["b", "c"], ["a"])
    assert loads == ["v"]
    assert fourth.follower.parts.counters.events.tolist() == [1, 1, 1, 0]


async def test_an_erased_user_is_in_no_answer_and_no_longer_in_the_store(replicas: Replicas) -> None:
    await replicas.first.append([play()])
    assert await watched(replicas.first) == ["a"]
    await replicas.first.features.flush()
    assert (await replicas.shared.read([KEYS.user("u")]))[0] is not None
    await replicas.second.writes.erase_user("u")
    assert await watched(replicas.first) == await watched(replicas.second) == []
    assert await replicas.shared.read([KEYS.user("u")]) == [None]


async def test_what_was_told_of_a_user_is_gone_once_they_were_written(replicas: Replicas) -> None:
    await replicas.first.append([play()])
    assert await watched(replicas.first) == ["a"]
    await replicas.first.features.flush()
    assert (await replicas.shared.read([KEYS.user("u")]))[0] is not None
    await replicas.second.writes.put_user("u", {"region": "north"})
    assert await replicas.shared.read([KEYS.user("u")]) == [None]


async def test_while_the_store_is_away_events_are_read_from_the_database(replicas: Replicas) -> None:
    await replicas.first.append([play()])
    assert await watched(replicas.second) == ["a"]
    replicas.shared.away = True
    await replicas.first.append([play(item="b", ago=50)])
    assert await watched(replicas.second) == ["a", "b"]
    await replicas.second.append([play(item="c", ago=40)])
    assert await watched(replicas.first) == ["a", "b", "c"]
    replicas.shared.away = False
    assert await watched(replicas.first) == await watched(replicas.second) == ["a", "b", "c"]
    await replicas.first.append([play(item="d", ago=30)])
    assert await watched(replicas.second) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("forgotten", [True, False])
async def test_what_could_not_be_told_is_made_up_for(replicas: Replicas, forgotten: bool) -> None:
    await replicas.first.append([play()])
    assert await watched(replicas.second) == ["a"]
    replicas.shared.away = True
    await replicas.first.writes.patch_item("b", {}, hidden=True)
    replicas.shared.away = False
    if forgotten:  # it was started anew
        await replicas.shared.close()
    await replicas.first.catch_up()  # which runs every poll_seconds
    assert "b" not in await popular(replicas.second)
    assert await watched(replicas.second) == ["a"]
    assert (await replicas.shared.read([KEYS.written]))[0] is not None


async def test_a_mark_that_came_between_is_followed(replicas: Replicas) -> None:
    await watched(replicas.first)
    # Another process commits and tells between what the first follows and what it tells.
    follow = replicas.first.follower.catch_up

    async def slowly() -> None:
        await follow()
        await append_events(replicas.store, "streaming", [play("v", "c")], NOW)
        await replicas.shared.replace(KEYS.written, b"another's")

    replicas.first.follower.catch_up = slowly  # type: ignore[method-assign]
    await replicas.first.append([play()])
    replicas.first.follower.catch_up = follow  # type: ignore[method-assign]
    assert await popular(replicas.first)
    assert replicas.first.follower.parts.counters.events.tolist() == [1, 0, 1, 0]


async def test_damaged_users_are_misses_and_counted(replicas: Replicas, loads: list[str], tmp_path: Path) -> None:
    await replicas.first.append([play()])
    await replicas.shared.write({KEYS.user("u"): b"HU\x01\x00 something else"}, 60)
    third = replicas.another(tmp_path)
    await third.start()
    assert await watched(third) == ["a"]
    assert (loads, replicas.shared.stats.unusable) == (["u"], 1)


async def test_a_store_of_one_process_costs_nothing(replicas: Replicas, tmp_path: Path) -> None:
    alone = replicas.another(tmp_path, MemoryFeatures())
    await alone.start()
    await alone.append([play()])
    assert await watched(alone) == ["a"]
    await alone.catch_up()
    await alone.features.flush()
    stats = alone.features.store.stats
    assert (stats.hits, stats.misses, stats.answered) == (0, 0, 0)
