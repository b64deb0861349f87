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
from homefeed.serving.users import StoredUser, UserCache
from homefeed.store import Store
from homefeed.store.events import append_events
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

    def __init__(self, store: Store, size: int = 100) -> None:
        super().__init__(store, APP, WEIGHTS, size)
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
    number = (await get_user(cache._store, APP, user_id)).number
    cache.forget([], {number})
    return number


async def times_of(cache: Watched, user_id: str) -> list[int]:
    cache.holding = False
    times: list[int] = (await cache.get(user_id)).times.tolist()
    return times


async def test_a_user_is_loaded_once(cache: Watched) -> None:
    first = await cache.get("u")
    assert await cache.get("u") is first
    assert cache.loads == 1


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
    cache._size = 2
    for user_id in ("u", "v", "u", "w"):
        await cache.get(user_id)
    assert (cache.loads, set(cache._users), set(cache._id_of.values())) == (3, {"u", "w"}, {"u", "w"})
    await told(cache, "v", 1)
    assert await times_of(cache, "v") == [1]


async def test_making_room_does_not_spoil_loads_under_way(cache: Watched) -> None:
    cache._size = 1
    begun = [await cache.begin(user_id) for user_id in "uvw"]
    for task, go in begun:
        go.set()
        await task
    assert list(cache._users) == ["w"]


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
