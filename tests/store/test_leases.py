"""The lease of an app's jobs: one holder at a time, and none publishes once it is over."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from homefeed.errors import LeaseHeldError, LeaseLostError
from homefeed.store import Store
from homefeed.store.leases import Lease, acquire_lease, fenced, find_lease, release_lease
from homefeed.store.tables import job_runs
from homefeed.types import SECOND

APP, START, LENGTH = "market", 1_700_000_000 * SECOND, 60 * SECOND


async def acquire(store: Store, now: int, holder: str = "a", app: str = APP, **more: object) -> Lease:
    how = {"place": "", "alone": False} | more
    return await acquire_lease(store, app, job="daily", holder=holder, now=now, length=LENGTH, **how)  # type: ignore[arg-type]


async def publish(store: Store, lease: Lease, now: int) -> None:
    """Write a row, as one who publishes."""
    async with fenced(store, lease, lambda: now, LENGTH) as connection:
        row = {"app": APP, "run_id": f"{lease.token}-{now}", "job": "daily", "outcome": "done", "detail": ""}
        numbers = dict.fromkeys(("started", "heartbeat", "done", "total"), 0)
        await connection.execute(job_runs.insert().values(**row, **numbers))


async def test_one_holder_at_a_time_and_the_second_is_told_who(store: Store) -> None:
    first = await acquire(store, START, "host1 (process 7)")
    assert (first.token, first.expires) == (1, START + LENGTH)
    told = (
        "another training of market is running: daily, on host1 .process 7., since 2023-11-14T22:13:20Z; wait for"
    )
    with pytest.raises(LeaseHeldError, match=told):
        await acquire(store, START + LENGTH - 1, "host2")
    assert await find_lease(store, APP, START + LENGTH - 1) == first
    assert (await acquire(store, START, app="other")).token == 1


async def test_tokens_only_grow_by_release_and_by_expiry(store: Store) -> None:
    first = await acquire(store, START)
    await release_lease(store, first)
    assert await find_lease(store, APP, START) is None
    second = await acquire(store, START)
    third = await acquire(store, START + LENGTH, "b")
    assert [lease.token for lease in (first, second, third)] == [1, 2, 3]
    await release_lease(store, second)
    assert await find_lease(store, APP, START + LENGTH) == third, "only its holder gives it back"


async def test_who_slept_past_the_lease_publishes_nothing_whether_another_took_it_or_not(store: Store) -> None:
    sleeper = await acquire(store, START)
    with pytest.raises(LeaseLostError, match=r"lost its lease .* it expired at 2023-11-14T22:14:20Z"):
        await publish(store, sleeper, START + LENGTH)
    other = await acquire(store, START + LENGTH, "b")
    for now in (START, START + LENGTH):  # by whatever clock
        with pytest.raises(LeaseLostError, match=r"daily on b took it at .* is not published; run it again"):
            await publish(store, sleeper, now)
    await publish(store, other, START + LENGTH)
    async with store.read() as connection:
        published = (await connection.execute(job_runs.select())).all()
    assert [row.run_id for row in published] == [f"2-{START + LENGTH}"]


async def test_publishing_and_an_empty_fence_renew_the_lease(store: Store) -> None:
    lease = await acquire(store, START)
    await publish(store, lease, START + LENGTH - 1)
    async with fenced(store, lease, lambda: START + 2 * LENGTH - 2, LENGTH):
        pass
    found = await find_lease(store, APP, START)
    assert found is not None
    assert found.expires == START + 3 * LENGTH - 2


async def test_what_fails_within_the_fence_is_undone(store: Store) -> None:
    lease = await acquire(store, START)
    with pytest.raises(sa.exc.DBAPIError):
        async with fenced(store, lease, lambda: START + 1, LENGTH) as connection:
            await connection.execute(sa.text("SELECT nothing"))
    assert await find_lease(store, APP, START) == lease


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_nobody_takes_the_lease_while_its_holder_publishes(store: Store) -> None:
    lease = await acquire(store, START)
    late = START + LENGTH
    async with fenced(store, lease, lambda: late - 1, LENGTH):
        taking = asyncio.create_task(acquire(store, late, "b"))
        await asyncio.sleep(0.2)
        assert not taking.done(), "the row is locked"
    with pytest.raises(LeaseHeldError):
        await taking


async def test_whoever_is_alone_at_a_place_takes_the_lease_of_the_dead_there(store: Store) -> None:
    dead = await acquire(store, START, place="host1:models")
    for place, alone in (("host1:models", False), ("host2:models", True), ("", True)):
        with pytest.raises(LeaseHeldError):
            await acquire(store, START + 1, "b", place=place, alone=alone)
    assert (await acquire(store, START + 1, "b", place="host1:models", alone=True)).token == dead.token + 1


async def test_a_lease_of_a_clock_that_was_ahead_holds_no_more(store: Store) -> None:
    await acquire(store, START + 11 * LENGTH)
    assert (await acquire(store, START)).token == 2


async def test_of_many_who_ask_at_once_one_gets_it(store: Store) -> None:
    asked = await asyncio.gather(*(acquire(store, START, f"h{n}") for n in range(5)), return_exceptions=True)
    assert sum(isinstance(got, Lease) for got in asked) == 1
    assert sum(isinstance(got, LeaseHeldError) for got in asked) == 4
