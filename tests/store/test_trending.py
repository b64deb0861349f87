"""What trends, by hours: kept by the store."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from homefeed.errors import LeaseLostError
from homefeed.store import Store
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.leases import acquire_lease, fenced
from homefeed.store.trending import HOUR, WINDOW, Trending, read_trending, refresh_trending
from homefeed.store.users import erase_user
from homefeed.types import SECOND, Event

APP = "market"
NOW = 472_222 * HOUR + 30 * 60 * SECOND
"""Half past an hour."""
WEIGHTS = {"view": 1.0, "apply": 10.0, "dismiss": -5.0}


async def write(store: Store, *told: tuple[str, str, int], app: str = APP, user: str = "u") -> None:
    """Items i0, i1, ... and events (item, type, time)."""
    await put_items(store, app, [ItemWrite(item, {}) for item in sorted({item for item, _, _ in told})])
    await append_events(store, app, [Event(user, *event) for event in told], NOW)


def rows(trending: Trending) -> list[tuple[int, int, float]]:
    columns = (trending.items, trending.hours - NOW // HOUR, trending.scores)
    return list(zip(*(column.tolist() for column in columns), strict=True))


async def test_scores_are_sums_of_weights_by_item_and_hour(store: Store) -> None:
    half = HOUR // 2
    told = [("i0", "view", NOW), ("i0", "view", NOW - half), ("i0", "apply", NOW - half - 1), ("i0", "stare", NOW)]
    await write(store, *told, ("i1", "dismiss", NOW - 1), ("i1", "view", NOW - 2))
    assert await refresh_trending(store, APP, WEIGHTS, NOW) == 3
    found = await read_trending(store, APP)
    assert rows(found) == [(1, -1, 10.0), (1, 0, 2.0), (2, 0, -4.0)]
    assert (found.refreshed_at, found.watermark) == (NOW, 6)


async def test_it_is_of_the_last_seven_days_and_what_is_to_come_is_of_now(store: Store) -> None:
    times = [NOW - WINDOW, NOW - WINDOW + 1, NOW, NOW + 3 * HOUR]
    await write(store, *[(f"i{n}", "view", time) for n, time in enumerate(times)])
    await refresh_trending(store, APP, WEIGHTS, NOW)
    found = await read_trending(store, APP)
    assert found.items.tolist() == [2, 3, 4]
    assert (found.hours - NOW // HOUR).tolist() == [-7 * 24, 0, 0]
    await refresh_trending(store, APP, WEIGHTS, NOW + 1)
    assert (await read_trending(store, APP)).items.tolist() == [3, 4]


async def test_what_people_do_to_their_own_does_not_count(store: Store) -> None:
    await put_items(
        store, APP, [ItemWrite("mine", {"title": "a", "poster": "u"}), ItemWrite("other", {"poster": "v"})]
    )
    told = [Event(user, item, "apply", NOW) for user in ("u", "v", "uu") for item in ("mine", "other")]
    await append_events(store, APP, told, NOW)
    await refresh_trending(store, APP, WEIGHTS, NOW, creator="poster")
    assert rows(await read_trending(store, APP)) == [(1, 0, 20.0), (2, 0, 20.0)]
    await refresh_trending(store, APP, WEIGHTS, NOW)
    assert rows(await read_trending(store, APP)) == [(1, 0, 30.0), (2, 0, 30.0)]


async def test_an_app_that_never_refreshed_it_has_nothing(store: Store) -> None:
    await write(store, ("i0", "view", NOW))
    found = await read_trending(store, APP)
    assert (rows(found), found.refreshed_at, found.watermark) == ([], None, 0)
    assert await refresh_trending(store, APP, {}, NOW) == 0
    assert (await read_trending(store, APP)).watermark == 1


async def test_weights_may_change_and_other_apps_stay_as_they_were(store: Store) -> None:
    for app in (APP, "other"):
        await write(store, ("i0", "view", NOW), app=app)
        await refresh_trending(store, app, WEIGHTS, NOW)
        await write(store, ("i0", "view", NOW - 1), app=app)
    await refresh_trending(store, APP, {"view": 3.0}, NOW)
    assert [rows(await read_trending(store, app)) for app in (APP, "other")] == [[(1, 0, 6.0)], [(1, 0, 1.0)]]
    assert (await read_trending(store, "other")).watermark == 1


async def test_what_was_erased_is_gone_with_the_next_refresh(store: Store) -> None:
    await write(store, ("i0", "view", NOW))
    await write(store, ("i0", "apply", NOW), user="v")
    await refresh_trending(store, APP, WEIGHTS, NOW)
    await erase_user(store, APP, "v")
    await refresh_trending(store, APP, WEIGHTS, NOW)
    assert rows(await read_trending(store, APP)) == [(1, 0, 1.0)]


async def test_who_lost_the_lease_changes_nothing(store: Store) -> None:
    await write(store, ("i0", "view", NOW))
    await refresh_trending(store, APP, WEIGHTS, NOW)
    await write(store, ("i0", "view", NOW - 1))
    lease = await acquire_lease(store, APP, job="frequent", holder="h", now=NOW, length=SECOND)
    with pytest.raises(LeaseLostError):
        await refresh_trending(
            store, APP, WEIGHTS, NOW, lambda: fenced(store, lease, lambda: NOW + SECOND, SECOND)
        )
    assert rows(await read_trending(store, APP)) == [(1, 0, 1.0)]
    await refresh_trending(store, APP, WEIGHTS, NOW, lambda: fenced(store, lease, lambda: NOW, SECOND))
    assert rows(await read_trending(store, APP)) == [(1, 0, 2.0)]


async def test_a_reader_sees_the_old_or_the_new_and_never_half(store: Store) -> None:
    await write(store, *[(f"i{n}", "view", NOW) for n in range(50)])
    await refresh_trending(store, APP, WEIGHTS, NOW)
    async with store.write() as connection:  # as one that refreshes and does not end
        await refresh_trending_within(store, connection)
        assert len((await read_trending(store, APP)).items) == 50
    assert len((await read_trending(store, APP)).items) == 0


async def refresh_trending_within(store: Store, connection: AsyncConnection) -> None:
    await refresh_trending(store, APP, {}, NOW, lambda: nullcontext(connection))
