"""The log on PostgreSQL: an event is in its month's partition, once whatever its time; old months go whole."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from homefeed.store import Store, migrations, open_store
from homefeed.store.bulk import EventColumns, append_rows
from homefeed.store.events import (
    Outcome,
    append_events,
    latest_of_user,
    prune_events,
    rows_after,
    rows_of_user,
)
from homefeed.store.identity import row_key
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.partitions import Period, partition_name, periods_of
from homefeed.store.tables import event_ids
from homefeed.store.users import erase_user, put_users
from homefeed.types import DAY, SECOND, Event

APP = "shop"
ACCEPTED, DUPLICATE, CONFLICT = Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.CONFLICT

on_postgresql = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)


def at(year: int, month: int = 1, day: int = 1) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * SECOND


JULY, AUGUST, SEPTEMBER = at(2024, 7), at(2024, 8), at(2024, 9)


async def catalogue(store: Store, *apps: str) -> None:
    for app in apps or (APP,):
        await put_items(store, app, [ItemWrite("a", {})])
        await put_users(store, app, [("u", {}), ("v", {})])


def click(time: int, event_id: str | None = None, user: str = "u") -> Event:
    return Event(user, "a", "click", time, None, event_id)


def columns(*sent: tuple[int, str | None]) -> EventColumns:
    times, ids = zip(*sent, strict=True)
    return EventColumns(
        keys=[row_key("u", "a", "click", None, time, event_id) for time, event_id in sent],
        users=[1] * len(sent),
        items=[1] * len(sent),
        types=["click"] * len(sent),
        values=[None] * len(sent),
        times=times,
        event_ids=ids,
    )


async def partitions(store: Store) -> dict[str, int]:
    """Those there are, each with how many events it holds."""
    names = sa.text(
        "SELECT CAST(inhrelid AS regclass) FROM pg_inherits WHERE inhparent = CAST('events' AS regclass)"
    )
    async with store.read() as connection:
        found = [str(name) for name in (await connection.execute(names)).scalars()]
        counts = [await connection.scalar(sa.text(f"SELECT count(*) FROM {name}")) for name in found]
    return dict(zip(found, counts, strict=True))


async def known_ids(store: Store) -> int:
    async with store.read() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(event_ids)) or 0)


async def times(store: Store, app: str = APP) -> Sequence[int]:
    return (await rows_after(store, app, 0, 10_000)).times


@pytest.mark.parametrize(
    ("time", "label"),
    [
        (0, "early"),
        (at(2000) - 1, "early"),
        (at(2000), "2000"),
        (at(2020) - 1, "2019"),
        (at(2020), "2020_01"),
        (at(2024, 3) - 1, "2024_02"),
        (at(2024, 12, 31), "2024_12"),
        (at(2100) - 1, "2099_12"),
        (at(2100), "late"),
        (at(2200), "late"),
    ],
)
def test_a_time_lies_within_the_bounds_of_its_period(time: int, label: str) -> None:
    (period,) = periods_of([time, time])
    assert period == Period(label)
    assert (period.start or 0) <= time < (period.end or at(2201))


def test_periods_meet_without_a_gap() -> None:
    months = (at(year, month) for year in range(1995, 2105) for month in range(1, 13))
    ordered = [periods_of([time])[0] for time in months]
    distinct = [period for period, _ in itertools.groupby(ordered)]
    assert len(distinct) == 1 + 20 + 80 * 12 + 1
    assert all(before.end == after.start for before, after in itertools.pairwise(distinct))
    assert (distinct[0].start, distinct[-1].end) == (None, None)
    assert Period("2024_12").end == at(2025)
    assert Period("2019").end == at(2020)


def test_a_name_fits_however_long_the_apps_is() -> None:
    assert partition_name("shop", Period("2024_07")) == "events_2024_07_shop"
    long = {partition_name("a" * 62 + end, Period("2024_07")) for end in "xy"}
    assert len(long) == 2
    assert max(map(len, long)) <= 63


@on_postgresql
async def test_a_new_log_has_no_partitions(store: Store) -> None:
    assert await partitions(store) == {}
    assert await times(store) == ()


@on_postgresql
@pytest.mark.parametrize("way", ["sent", "imported"])
async def test_events_land_in_the_partitions_of_their_app_and_month(store: Store, way: str) -> None:
    await catalogue(store, APP, "other")
    moments = [AUGUST, AUGUST - 1, JULY, at(1970), at(2150), at(2019, 6), JULY + DAY]
    for app in (APP, "other"):
        if way == "sent":
            assert await append_events(store, app, [click(time) for time in moments], 1) == [ACCEPTED] * 7
        else:
            assert (await append_rows(store, app, columns(*((time, None) for time in moments)), 1)).inserted == 7
    counts = {"early": 1, "2019": 1, "2024_07": 3, "2024_08": 1, "late": 1}
    expected = {f"events_{label}_{app}": n for label, n in counts.items() for app in (APP, "other")}
    assert await partitions(store) == expected
    assert list(await times(store)) == moments
    assert list((await rows_of_user(store, APP, "u"))[1].times) == sorted(moments)
    assert [event.time for event, _ in await latest_of_user(store, APP, "u", 2)] == [at(2150), AUGUST]


@on_postgresql
async def test_an_app_of_the_longest_name_has_its_own(store: Store) -> None:
    apps = ["a" * 62 + end for end in "xy"]
    await catalogue(store, *apps)
    for app in apps:
        await append_events(store, app, [click(JULY)], 1)
    assert sorted((await partitions(store)).values()) == [1, 1]
    assert await prune_events(store, apps[0], AUGUST) == 1
    assert list(await times(store, apps[1])) == [JULY]
    assert sorted((await partitions(store)).values()) == [1]


@on_postgresql
async def test_an_event_id_counts_once_across_months(store: Store) -> None:
    await catalogue(store)
    assert await append_events(store, APP, [click(JULY, "e"), click(JULY)], 1) == [ACCEPTED, ACCEPTED]
    again = [click(AUGUST, "e"), click(AUGUST, "f"), click(SEPTEMBER, "f"), click(JULY), click(AUGUST)]
    assert await append_events(store, APP, again, 2) == [CONFLICT, ACCEPTED, CONFLICT, DUPLICATE, ACCEPTED]
    imported = columns(
        (SEPTEMBER, "f"), (AUGUST, None), (SEPTEMBER, "g"), (JULY, "g"), (JULY, "e"), (JULY + 1, None)
    )
    result = await append_rows(store, APP, imported, 3)
    assert (result.first_seq, result.inserted) == (8, 2)
    assert (result.duplicates, result.conflicts) == ({1: 7, 4: 1}, frozenset({0, 3}))
    assert await append_events(store, APP, [click(AUGUST, "g"), click(SEPTEMBER, "g")], 4) == [CONFLICT, DUPLICATE]
    assert await append_events(store, APP, [replace(click(AUGUST, "g"), time_told=False)], 5) == [DUPLICATE]
    assert list(await times(store)) == [JULY, JULY, AUGUST, AUGUST, SEPTEMBER, JULY + 1]
    assert await known_ids(store) == 3


@on_postgresql
async def test_ids_are_forgotten_with_their_events(store: Store) -> None:
    await catalogue(store, APP, "other")
    mine = [click(JULY, "e"), click(AUGUST, "f"), click(SEPTEMBER, "g"), click(SEPTEMBER + 9, "h", user="v")]
    for app in (APP, "other"):
        await append_events(store, app, mine, 1)
    assert await prune_events(store, APP, AUGUST + 1) == 2
    assert await known_ids(store) == 2 + 4
    assert await erase_user(store, APP, "u") == 1
    assert await known_ids(store) == 1 + 4
    assert await append_events(store, APP, mine, 2) == [ACCEPTED, ACCEPTED, ACCEPTED, DUPLICATE]
    assert await append_events(store, "other", mine, 2) == [DUPLICATE] * 4


@on_postgresql
async def test_pruning_drops_the_months_of_the_app_that_are_over(store: Store) -> None:
    await catalogue(store, APP, "other", "p_shop")
    moments = [at(1999), at(2018), JULY, AUGUST, AUGUST + 5, SEPTEMBER]
    for app in (APP, "other", "p_shop"):
        await append_events(store, app, [click(time) for time in moments], 1)
    assert await prune_events(store, APP, AUGUST + 5) == 4
    left = await partitions(store)
    assert {name: n for name, n in left.items() if name.endswith("_shop") and "_p_" not in name} == {
        "events_2024_08_shop": 1,
        "events_2024_09_shop": 1,
    }
    assert len(left) == 2 + 5 + 5
    for app in ("other", "p_shop"):
        assert list(await times(store, app)) == moments
    assert await prune_events(store, APP, AUGUST + 5) == 0
    assert await append_events(store, APP, [click(JULY)], 2) == [ACCEPTED]


@on_postgresql
async def test_pruning_deletes_while_the_log_is_being_read(store: Store) -> None:
    await catalogue(store)
    await append_events(store, APP, [click(JULY, "e"), click(AUGUST)], 1)
    async with store.read() as backup:
        await backup.execute(sa.text("SELECT FROM events"))
        assert await prune_events(store, APP, AUGUST) == 1
        assert await append_events(store, APP, [click(SEPTEMBER)], 2) == [ACCEPTED]
    assert await partitions(store) == {
        "events_2024_07_shop": 0,
        "events_2024_08_shop": 1,
        "events_2024_09_shop": 1,
    }
    assert await prune_events(store, APP, AUGUST) == 0
    assert "events_2024_07_shop" not in await partitions(store)
    assert await known_ids(store) == 0


@on_postgresql
async def test_many_writers_make_the_same_months_at_once(store: Store, store_url: str) -> None:
    apps = (APP, "other")
    await catalogue(store, *apps)
    batches = [
        [click(at(2021 + n % 3, 1 + n % 12) + n), click(at(2021, 1 + n) + n, f"e{n % 4}")] for n in range(12)
    ]
    async with open_store(store_url) as second:
        outcomes = await asyncio.gather(
            *(append_events(on, app, batch, 1) for batch in batches for app in apps for on in (store, second))
        )
    for app in apps:
        kept = await rows_after(store, app, 0, 1000)
        assert len(kept) == 12 + 4
        assert list(kept.seqs) == sorted(set(kept.seqs))
    assert sum(outcome is ACCEPTED for batch in outcomes for outcome in batch) == 2 * 16
    assert sum((await partitions(store)).values()) == 2 * 16


@on_postgresql
async def test_writers_and_prunings_of_several_apps_never_block_each_other_for_good(
    store: Store, store_url: str
) -> None:
    apps = ("one", "two", "three")
    await catalogue(store, *apps)

    async def write(on: Store, app: str) -> int:
        sent = 0
        for n in range(15):
            batch = [click(at(2021, 1 + n % 12) + n, f"{app}{n}"), click(at(2023, 1 + n % 12) + n)]
            sent += (await append_events(on, app, batch, 1)).count(ACCEPTED)
        return sent

    async def prune(on: Store, app: str) -> int:
        return sum([await prune_events(on, app, at(2022)) for _ in range(8)])

    async with asyncio.timeout(60), open_store(store_url) as second:
        done = await asyncio.gather(
            *(write(store, app) for app in apps), *(prune(second, app) for app in apps), prune(store, "one")
        )
    assert done[:3] == [30, 30, 30]
    gone = sum(done[3:]) + sum([await prune_events(store, app, at(2022)) for app in apps])
    assert gone == 45
    assert [len(await times(store, app)) for app in apps] == [15] * 3
    assert await known_ids(store) == 0


@on_postgresql
async def test_a_full_store_is_divided_with_all_it_holds(store: Store, store_url: str) -> None:
    apps = (APP, "other")
    await catalogue(store, *apps)
    sent = [click(JULY + n * DAY * 9, f"e{n}" if n % 3 else None) for n in range(40)] + [click(5), click(at(2190))]
    for app in apps:
        await append_events(store, app, sent, 1)
    before = [await rows_after(store, app, 0, 1000) for app in apps], await partitions(store)
    events = await latest_of_user(store, APP, "u", 100)
    config = Config()
    config.set_main_option("script_location", str(migrations.__path__[0]).replace("%", "%%"))
    async with store.write() as connection:
        config.attributes["connection"] = connection.sync_connection
        await connection.run_sync(lambda sync: _downgrade(config, sync))
        whole = sa.text("SELECT relkind FROM pg_class WHERE oid = CAST('events' AS regclass)")
        assert await connection.scalar(whole) == b"r"
    async with open_store(store_url) as newer:
        assert ([await rows_after(newer, app, 0, 1000) for app in apps], await partitions(newer)) == before
        assert await latest_of_user(newer, APP, "u", 100) == events
        assert await known_ids(newer) == 2 * 26
        assert await append_events(newer, APP, sent, 2) == [DUPLICATE] * 42
        assert await append_events(newer, APP, [click(at(2026, 2), "e1"), click(at(2026, 2))], 3) == [
            CONFLICT,
            ACCEPTED,
        ]
        assert await erase_user(newer, APP, "u") == 43


def _downgrade(config: Config, connection: sa.Connection) -> None:
    config.attributes["connection"] = connection
    command.downgrade(config, "0002")
