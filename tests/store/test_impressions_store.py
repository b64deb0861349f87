"""Impressions in the store: what was shown comes back to the bit, and goes when it has to."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import sqlalchemy as sa

from homefeed.store import Store
from homefeed.store.impressions import (
    Impression,
    impressions_of_request,
    prune_impressions,
    write_impressions,
)
from homefeed.store.tables import impressions
from homefeed.store.users import erase_user, get_user, put_users

APP = "shop"


def shown(
    request_id: str = "r", *, n: int = 3, user: int | None = 1, time: int = 1_000, start: int = 0
) -> Impression:
    """A page of n items, of which no two numbers are alike."""
    rng = np.random.default_rng([n, time, start])
    return Impression(
        request_id=request_id,
        feed="home",
        user=user,
        time=time,
        start=start,
        items=rng.choice(2**31 - 1, n, replace=False).astype(np.int32),
        scores=rng.normal(size=n).astype(np.float32),
        propensities=rng.uniform(size=n).astype(np.float32),
        feature_names=("popular", "creator_id_affinity"),
        features=rng.normal(size=(n, 2)).astype(np.float32),
        models={"signals": "20260101T000000-abc", "item_item": "20260102T000000-def"},
        reused=start > 0,
        served_by="home/weighted",
        variant="arm" if start else "",
    )


@pytest.fixture(autouse=True)
async def _users(store: Store) -> None:
    """Two users of each app, numbers 1 and 2."""
    for app in (APP, "other"):
        await put_users(store, app, [("u", {}), ("v", {})])


def assert_same(one: Impression, other: Impression) -> None:
    for field in fields(Impression):
        mine, its = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, np.ndarray):
            assert (mine.dtype, mine.shape) == (its.dtype, its.shape), field.name
            np.testing.assert_array_equal(mine, its, field.name)
        else:
            assert mine == its, field.name


async def written(store: Store, app: str = APP) -> list[tuple[str, int | None, int]]:
    """(request_id, user, start) of all that an app's log holds."""
    table = impressions.c
    query = sa.select(table.request_id, table.user, table.start).where(table.app == app)
    async with store.read() as connection:
        return sorted(map(tuple, await connection.execute(query)), key=repr)


async def test_an_impression_comes_back_as_written(store: Store) -> None:
    odd = replace(
        shown("odd", n=2),
        user=None,
        scores=np.array([np.nan, -0.0], np.float32),
        propensities=np.array([1e-38, np.inf], np.float32),
        items=np.array([2**31 - 1, 0], np.int32),
        models={},
    )
    empty = replace(shown("empty", n=0))
    bare = replace(shown("bare"), feature_names=(), features=np.empty((3, 0), np.float32))
    late = replace(shown("late", time=2**53 + 1), start=1_999, user=2)
    all_of_them = [shown(), odd, empty, bare, late]
    await write_impressions(store, APP, all_of_them)
    for impression in all_of_them:
        (found,) = await impressions_of_request(store, APP, impression.request_id)
        assert_same(found, impression)
        assert all(array.flags.writeable for array in (found.items, found.scores, found.features))


async def test_wider_numbers_are_written_as_32_bits(store: Store) -> None:
    given = shown()
    wide = replace(given, items=given.items.astype(np.int64), scores=given.scores.astype(np.float64))
    await write_impressions(store, APP, [wide])
    assert_same((await impressions_of_request(store, APP, "r"))[0], given)


async def test_the_pages_of_a_request_come_in_their_order(store: Store) -> None:
    await write_impressions(store, APP, [shown(start=40), shown(start=0), shown("other"), shown(start=20)])
    assert [found.start for found in await impressions_of_request(store, APP, "r")] == [0, 20, 40]
    assert await impressions_of_request(store, APP, "nobody's") == []


async def test_a_request_written_twice_counts_once_and_the_first_stays(store: Store) -> None:
    first, again = shown(user=1), replace(shown(user=2), scores=np.zeros(3, np.float32))
    await write_impressions(store, APP, [first, again, shown("other")])
    await write_impressions(store, APP, [again, shown("new")])
    (found,) = await impressions_of_request(store, APP, "r")
    assert_same(found, first)
    assert [request_id for request_id, _, _ in await written(store)] == ["new", "other", "r"]


async def test_nothing_to_write_writes_nothing(store: Store) -> None:
    await write_impressions(store, APP, [])
    assert await written(store) == []


async def test_pruning_takes_what_is_older(store: Store) -> None:
    await write_impressions(store, APP, [shown(f"r{time}", time=time) for time in range(10)])
    await write_impressions(store, "other", [shown(f"r{time}", time=time) for time in range(10)])
    assert await prune_impressions(store, APP, 0) == 0
    assert await prune_impressions(store, APP, 7) == 7
    assert [request_id for request_id, _, _ in await written(store)] == ["r7", "r8", "r9"]
    assert len(await written(store, "other")) == 10
    assert await prune_impressions(store, "nobody's", 100) == 0


@pytest.mark.parametrize("app", [APP, "other"])
async def test_erasing_a_user_takes_their_impressions_and_no_others(store: Store, app: str) -> None:
    for name in (APP, "other"):
        pages = [shown(f"{user}{n}", user=user) for user in (1, 2, None) for n in range(2)]
        await write_impressions(store, name, pages)
    assert (await get_user(store, app, "u")).number == 1
    await erase_user(store, app, "u")
    left = [("20", 2, 0), ("21", 2, 0), ("None0", None, 0), ("None1", None, 0)]
    assert await written(store, app) == left
    assert len(await written(store, "other" if app == APP else APP)) == 6


async def test_apps_that_use_the_same_ids_stay_apart(store: Store) -> None:
    mine, theirs = shown(), replace(shown(), user=2, scores=np.zeros(3, np.float32))
    await write_impressions(store, APP, [mine])
    await write_impressions(store, "other", [theirs])
    assert_same((await impressions_of_request(store, APP, "r"))[0], mine)
    assert_same((await impressions_of_request(store, "other", "r"))[0], theirs)


async def test_what_is_written_after_the_user_was_erased_has_no_user(store: Store) -> None:
    await erase_user(store, APP, "u")
    await write_impressions(store, APP, [shown("one", user=1), shown("two", user=2), shown("none", user=None)])
    await write_impressions(store, "other", [shown("one", user=1)])
    assert await written(store) == [("none", None, 0), ("one", None, 0), ("two", 2, 0)]
    assert await written(store, "other") == [("one", 1, 0)]


async def test_many_users_at_once(store: Store) -> None:
    await put_users(store, APP, [(f"w{n}", {}) for n in range(1_200)])
    await write_impressions(store, APP, [shown(f"r{n}", user=n, n=1) for n in range(1, 1_203)])
    assert {user for _, user, _ in await written(store)} == set(range(1, 1_203))
