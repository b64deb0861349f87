"""The user cache: never a state older than what was acknowledged, whatever is under way."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homefeed.apps import find_recipe
from homefeed.catalog import CatalogView, Counters
from homefeed.engine import event_weights
from homefeed.errors import UnavailableError
from homefeed.serving.user_cache import UserCache
from homefeed.serving.users import StoredUser
from homefeed.store import Store
from homefeed.store.events import append_events, rows_after
from homefeed.store.items import ItemWrite, delete_item, put_items
from homefeed.store.users import erase_user, get_user, put_users
from homefeed.types import DAY, Event, Item

APP = "streaming"
RECIPE = find_recipe(APP)
WEIGHTS = event_weights(RECIPE)

# What is tested here is the same on every database.
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


class Watched(UserCache):
    """Counts its loads; each, having read the store, lasts until it is let go."""

    def __init__(self, store: Store, max_bytes: float = 1e6) -> None:
        super().__init__(store, RECIPE, WEIGHTS, max_bytes)
        self.loads = 0
        self.holding = False
        self._held: asyncio.Queue[asyncio.Event] = asyncio.Queue()

    async def load(self, user_id: str) -> StoredUser:
        self.loads += 1
        loaded = await super().load(user_id)
        if self.holding:
            go = asyncio.Event()
            self._held.put_nowait(go)
            await go.wait()
        return loaded

    async def begin(self, user_id: str) -> tuple[asyncio.Task[StoredUser], asyncio.Event]:
        """A `get` that has read the store and goes on when the event is set."""
        self.holding = True
        task = asyncio.create_task(self.get(user_id))
        return task, await self._held.get()


@pytest.fixture
async def cache(store: Store) -> Watched:
    await put_items(store, APP, [ItemWrite("a", {})])
    await put_users(store, APP, [(user_id, {}) for user_id in "uvwxyz"])
    return Watched(store)


async def told(cache: Watched, user_id: str, time: int) -> int:
    """An event written and followed; returns the number of its user."""
    await append_events(cache._store, APP, [Event(user_id, "a", "play", time, 1.0)], 0)
    watermark = (await cache._store.watermarks(APP)).event_seq
    cache.append(await rows_after(cache._store, APP, watermark - 1, 1))
    return (await get_user(cache._store, APP, user_id)).number


async def times_of(cache: Watched, user_id: str) -> list[int]:
    cache.holding = False
    times: list[int] = (await cache.get(user_id)).times.tolist()
    return times


async def test_a_user_is_loaded_once(cache: Watched) -> None:
    await told(cache, "u", 7)
    first, again = await cache.get("u"), await cache.get("u")
    assert cache.loads == 1
    assert first.version == again.version
    for name in ("items", "types", "values", "times"):
        one, other = getattr(first, name), getattr(again, name)
        assert one.dtype == other.dtype
        assert one.tolist() == other.tolist()


async def test_an_event_while_a_load_is_under_way_is_not_lost(cache: Watched) -> None:
    task, go = await cache.begin("u")
    await told(cache, "u", 1)
    go.set()
    assert (await task).times.tolist() == []
    assert await times_of(cache, "u") == [1]


async def test_an_old_load_that_ends_beside_a_new_one_is_not_kept(cache: Watched) -> None:
    old, old_go = await cache.begin("u")
    await told(cache, "u", 1)
    new, new_go = await cache.begin("u")
    old_go.set()
    await old
    assert await times_of(cache, "u") == [1]
    new_go.set()
    assert (await new).times.tolist() == [1]
    assert await times_of(cache, "u") == [1]


async def test_an_old_load_that_ends_after_a_new_one_is_not_kept(cache: Watched) -> None:
    old, old_go = await cache.begin("u")
    await told(cache, "u", 1)
    new, new_go = await cache.begin("u")
    new_go.set()
    await new
    old_go.set()
    await old
    assert await times_of(cache, "u") == [1]


async def test_a_stranger_who_acts_while_being_looked_up_is_known(cache: Watched) -> None:
    task, go = await cache.begin("new")
    await told(cache, "new", 1)
    go.set()
    assert (await task).number is None
    assert await times_of(cache, "new") == [1]


async def test_a_known_stranger_is_forgotten_by_id(cache: Watched) -> None:
    assert (await cache.get("new")).number is None
    await put_users(cache._store, APP, [("new", {"age": 3})])
    cache.forget(["new"])
    assert (await cache.get("new")).attributes == {"age": 3}


async def test_a_user_erased_while_being_loaded_is_not_kept(cache: Watched) -> None:
    await told(cache, "u", 1)
    task, go = await cache.begin("u")
    await erase_user(cache._store, APP, "u")
    cache.clear()
    go.set()
    assert (await task).times.tolist() == [1]
    assert await times_of(cache, "u") == []
    number = await told(cache, "u", 2)
    cache.forget(["u"])
    assert await times_of(cache, "u") == [2]
    assert (await cache.get("u")).number == number


async def test_a_load_that_fails_leaves_nothing_behind(cache: Watched) -> None:
    task, _ = await cache.begin("u")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await told(cache, "u", 1)
    assert await times_of(cache, "u") == [1]


async def test_the_longest_unused_user_makes_room(cache: Watched) -> None:
    cache._max_bytes = 1_100
    for user_id in ("u", "v", "u", "w"):
        await cache.get(user_id)
    assert (cache.loads, set(cache._users), set(cache._id_of.values())) == (3, {"u", "w"}, {"u", "w"})
    await told(cache, "v", 1)
    assert await times_of(cache, "v") == [1]


async def test_making_room_does_not_spoil_loads_under_way(cache: Watched) -> None:
    cache._max_bytes = 600
    begun = [await cache.begin(user_id) for user_id in "uvw"]
    for task, go in begun:
        go.set()
        await task
    assert list(cache._users) == ["w"]


async def test_events_of_a_user_in_memory_are_added_to_what_is_there(cache: Watched) -> None:
    await put_users(cache._store, APP, [("u", {"age": 40})])
    await cache.get("u")
    for index, time in enumerate((5, 3, 5, 9, 1)):
        event = Event("u", "a", "play", time, 60.0 * index, event_id=str(index))
        await append_events(cache._store, APP, [event], 0)
    rows = await rows_after(cache._store, APP, 0, 100)
    cache.append(rows)
    cache.append(rows)  # as after a reload: what is known already is not added again
    kept = await cache.get("u")
    assert cache.loads == 1
    fresh = await UserCache(cache._store, RECIPE, WEIGHTS, 1e6).get("u")
    assert kept.version == fresh.version
    assert kept.times.tolist() == fresh.times.tolist() == [1, 3, 5, 5, 9]
    for name in ("items", "types", "values"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(fresh, name))


async def test_of_one_moment_the_order_of_the_log_stays(cache: Watched) -> None:
    await put_items(cache._store, APP, [ItemWrite(item_id, {}) for item_id in "bcd"])
    await append_events(cache._store, APP, [Event("u", item_id, "play", 5, 1.0) for item_id in "dbca"], 0)
    first = await rows_after(cache._store, APP, 0, 2)
    rest = await rows_after(cache._store, APP, first.seqs[-1], 9)
    loaded = (await UserCache(cache._store, RECIPE, WEIGHTS, 1e6).get("u")).items.tolist()
    await erase_user(cache._store, APP, "u")
    await put_users(cache._store, APP, [("u", {})])
    number = (await cache.get("u")).number
    assert number is not None
    for rows in (first, rest):
        cache.append(replace(rows, users=[number] * len(rows)))
    assert (await cache.get("u")).items.tolist() == loaded == [4, 2, 3, 1]


async def test_a_search_has_its_user_read_anew(cache: Watched) -> None:
    await told(cache, "u", 1)
    assert len((await cache.get("u")).searches) == 0
    await append_events(cache._store, APP, [Event("u", "", "play", 2, context={"query": "red shoes"})], 0)
    cache.append(await rows_after(cache._store, APP, 1, 9))
    assert (await cache.get("u")).searches.texts == ("red shoes",)
    assert (await cache.get("u")).searches.texts == ("red shoes",)
    assert cache.loads == 2
    await told(cache, "u", 3)
    assert (await cache.get("u")).searches.texts == ("red shoes",)
    assert cache.loads == 2


async def test_its_size_is_what_its_users_take(cache: Watched) -> None:
    assert cache.size == 0
    await put_users(cache._store, APP, [("u", {"text": "x" * 5_000})])
    for user_id in "uv":
        await cache.get(user_id)
    assert 6_000 < cache.size < 7_000
    for time in range(100):
        await told(cache, "v", time)
    assert 8_000 < cache.size < 9_000
    cache.forget(["u"])
    assert 2_000 < cache.size < 4_000
    assert (await cache.get("unknown")).number is None
    cache._max_bytes = 2_000
    await cache.get("w")
    assert set(cache._users) == {"unknown", "w"}
    cache.forget(["unknown", "w"])
    assert (cache.size, len(cache), cache._id_of) == (0, 0, {})
    await cache.get("v")
    assert len(cache) == 0  # more than there is room for, it is read every time
    cache._max_bytes = 1e6
    await cache.get("v")
    cache.clear()
    assert (cache.size, len(cache)) == (0, 0)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(["tell", "begin", "end", "get"]), st.integers(0, 7)), max_size=25))
async def test_no_order_of_loads_and_events_leaves_a_stale_state(
    cache: Watched, steps: list[tuple[str, int]]
) -> None:
    cache.clear()
    expected = {user_id: await times_of(cache, user_id) for user_id in "uv"}
    under_way: list[tuple[asyncio.Task[StoredUser], asyncio.Event]] = []
    for step, n in steps:
        user_id = "uv"[n % 2]
        if step == "tell":
            expected[user_id].append(expected[user_id][-1] + 1 if expected[user_id] else 0)
            await told(cache, user_id, expected[user_id][-1])
        elif step == "begin" and user_id not in cache._users:
            under_way.append(await cache.begin(user_id))
        elif step == "end" and under_way:
            task, go = under_way.pop(n % len(under_way))
            go.set()
            await task
        elif step == "get":
            assert await times_of(cache, user_id) == expected[user_id]
    for task, go in under_way:
        go.set()
        await task
    for user_id in "uv":
        assert await times_of(cache, user_id) == expected[user_id]


async def test_a_state_holds_what_the_catalogue_and_the_recipe_know(cache: Watched) -> None:
    store = cache._store
    await put_items(store, APP, [ItemWrite("b", {}), ItemWrite("gone", {})])
    batch = [Event("u", item, "play", time, 1350.0) for time, item in enumerate(["b", "gone", "a"])]
    batch += [replace(batch[0], event_type="stare"), replace(batch[0], value=None)]
    await append_events(store, APP, batch, 0)
    await delete_item(store, APP, "gone")
    catalog = CatalogView(RECIPE.items.fields, RECIPE.items.title)
    catalog.apply([Item("b", 2, {}, None), Item("a", 1, {}, None)])
    counters = Counters(catalog, DAY, None, 2700.0)
    state = (await cache.get("u")).state("u", catalog, counters, WEIGHTS)
    assert state.history.items.tolist() == [0, 0, 1]
    assert state.history.types.tolist() == [0, 0, 0]
    assert state.history.times.tolist() == [0, 0, 2]
    np.testing.assert_array_equal(state.history.values, np.array([1350, np.nan, 1350], np.float32))
    assert state.history.strengths.tolist() == [0.5, 1.0, 0.5]


class Away(UserCache):
    """Its store does not answer."""

    async def load(self, user_id: str) -> StoredUser:
        if self._store.health.ok:
            raise UnavailableError("the store does not answer")
        await asyncio.sleep(60)
        raise AssertionError


@pytest.mark.parametrize("known_to_be", [False, True])
async def test_while_the_store_is_away_a_user_in_memory_is_as_last_heard_of(
    store: Store, known_to_be: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = Away(store, RECIPE, WEIGHTS, 1e6)
    users.keep("u", StoredUser(7, {"age": 30}))
    if known_to_be:
        monkeypatch.setattr("homefeed.serving.user_cache._TROUBLE_SECONDS", 0.01)
        monkeypatch.setattr(store.health, "_trouble", "the store does not answer")
    assert (await users.latest("u")).attributes == {"age": 30}
    monkeypatch.setattr(store.health, "_trouble", None)
    with pytest.raises(UnavailableError, match="does not answer"):
        await users.latest("nobody")


async def test_the_latest_of_a_user_is_that_of_the_store(store: Store, cache: Watched) -> None:
    cache.keep("u", StoredUser(1, {"age": 30}))
    await put_users(store, APP, [("u", {"age": 31})])
    assert (await cache.latest("u")).attributes == {"age": 31}
