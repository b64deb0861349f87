"""Reads by the driver itself: the same rows as by the engine, all that is committed, whatever happens to it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from homefeed.errors import NotFoundError
from homefeed.store import Store, Watermarks, open_store
from homefeed.store import events as log
from homefeed.store.direct import DirectReader, Rows, Unavailable
from homefeed.store.events import append_events, rows_after, rows_of_user
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.tables import apps
from homefeed.store.users import put_users
from homefeed.types import Event

APP = "shop"
sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
postgresql = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)


class NoReader:
    """Never answers."""

    async def fetch(self, query: sa.Select[Any], values: Mapping[str, Any]) -> Rows:
        raise Unavailable

    async def close(self) -> None: ...


class Counting:
    """Counts the queries that the driver answers."""

    def __init__(self, reader: DirectReader) -> None:
        self._reader, self.answered = reader, 0

    async def fetch(self, query: sa.Select[Any], values: Mapping[str, Any]) -> Rows:
        rows = await self._reader.fetch(query, values)
        self.answered += 1
        return rows

    async def close(self) -> None:
        await self._reader.close()


@pytest.fixture
async def other(store_url: str) -> AsyncIterator[Store]:
    async with open_store(store_url) as opened:
        yield opened


@pytest.fixture(autouse=True)
async def filled(store: Store) -> None:
    await put_items(store, APP, [ItemWrite(item_id, {}) for item_id in "abc"])
    await put_users(store, APP, [("u", {"name": "Ünal", "likes": [1, None]}), ("quiet", {})])
    await append_events(store, APP, [buy(item, time, value) for item, time, value in ROWS], 9)


ROWS = [("a", 5, 1.5), ("b", 3, None), ("c", 5, 0.0), ("", 4, None)]


def buy(item: str = "a", time: int = 7, value: float | None = None, user: str = "u") -> Event:
    context = {} if item else {"query": "rote Schühe"}
    return Event(user, item, "buy", time, value, context=context)


def by_engine(store: Store) -> Store:
    return replace(store, direct=NoReader())


def counted(store: Store) -> tuple[Store, Counting]:
    counting = Counting(store.direct)
    return replace(store, direct=counting), counting


async def test_the_rows_are_those_that_the_engine_reads(store: Store) -> None:
    direct, counting = counted(store)
    for user_id in ("u", "quiet"):
        assert await rows_of_user(direct, APP, user_id) == await rows_of_user(by_engine(store), APP, user_id)
    user, rows = await rows_of_user(direct, APP, "u")
    assert user.attributes == {"name": "Ünal", "likes": [1, None]}
    assert (rows.times, rows.values) == ((3, 4, 5, 5), (None, None, 1.5, 0.0))
    assert rows.queries == [None, "rote Schühe", None, None]
    for seq, limit, until in ((0, 10, None), (0, 2, None), (1, 10, 3), (2, 1, 100), (0, 10_000, 10_000)):
        found = await rows_after(direct, APP, seq, limit, until)
        assert found == await rows_after(by_engine(store), APP, seq, limit, until)
    assert await direct.watermarks(APP) == await by_engine(store).watermarks(APP) != Watermarks()
    assert await direct.watermarks("none") == Watermarks()
    with pytest.raises(NotFoundError, match='no user "v" in shop'):
        await rows_of_user(direct, APP, "v")
    with pytest.raises(NotFoundError):
        await rows_of_user(direct, "streaming", "u")
    assert counting.answered >= 9


async def test_a_read_sees_whatever_is_committed_before_it(store: Store, other: Store) -> None:
    direct, counting = counted(store)
    for count in range(5, 12):
        writer = store if count % 2 else other
        await append_events(writer, APP, [buy(time=100 + count)], 9)
        assert len((await rows_of_user(direct, APP, "u"))[1]) == count
        assert (await direct.watermarks(APP)).event_seq == count
    assert counting.answered == 14


async def test_a_read_waits_for_no_writer_and_sees_nothing_that_is_not_committed(store: Store) -> None:
    direct, counting = counted(store)
    async with store.write() as connection:
        await store.advance(connection, APP, event_seq=10)
        assert (await asyncio.wait_for(direct.watermarks(APP), 5)).event_seq == 4
    assert (await direct.watermarks(APP)).event_seq == 14
    assert counting.answered == 2


async def test_many_read_at_once(store: Store) -> None:
    users = [f"u{n}" for n in range(30)]
    await append_events(store, APP, [buy(time=n, user=user) for n, user in enumerate(users)], 9)
    direct, counting = counted(store)
    found = await asyncio.gather(*(rows_of_user(direct, APP, user) for user in users * 3))
    assert [rows.times for _, rows in found] == [(n,) for n in range(30)] * 3
    assert counting.answered == 90


@sqlite
async def test_the_engine_reads_where_the_drivers_connection_does_not(store: Store) -> None:
    await store.direct.close()
    assert len((await rows_of_user(store, APP, "u"))[1]) == 4
    assert (await store.watermarks(APP)).event_seq == 4


@postgresql
async def test_a_lost_connection_is_made_anew(store: Store) -> None:
    direct, counting = counted(store)
    assert len((await rows_of_user(direct, APP, "u"))[1]) == 4
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    async with store.read() as connection:
        await connection.execute(sa.text(f"{others} AND pid <> pg_backend_pid()"))
    for _ in range(3):
        assert len((await rows_of_user(direct, APP, "u"))[1]) == 4
    assert counting.answered == 3  # all but the one that found it lost


@postgresql
async def test_a_read_that_is_cancelled_leaves_no_rows_to_the_next(store: Store) -> None:
    slow = sa.select(sa.func.pg_sleep(30), apps.c.app)
    reading = asyncio.create_task(store.fetch(slow))
    await asyncio.sleep(0.2)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    for _ in range(3):
        assert len((await rows_of_user(store, APP, "u"))[1]) == 4


@sqlite
async def test_sqlite_finds_a_users_rows_by_its_indexes_and_cannot_write(store: Store) -> None:
    connection: sqlite3.Connection = store.direct._connection  # type: ignore[attr-defined]
    compiled = store.direct._queries.compiled(log._ROWS_OF_USER)  # type: ignore[attr-defined]
    values = compiled.parameters({"app": APP, "user_id": "u"})
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {compiled.text}", values)]
    assert len([step for step in plan if " USING INDEX " in step]) == 2, plan
    assert not [step for step in plan if step.startswith("SCAN")], plan
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM events")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@sqlite
async def test_sqlite_leaves_one_file_behind(tmp_path: Path) -> None:
    file = tmp_path / "own" / "odd name?.db"
    url = f"sqlite:///{str(file).replace('?', '%3F')}"
    async with open_store(url) as store:
        assert store.engine.url.database == make_url(url).database == str(file)
        await put_users(store, APP, [("u", {})])
        direct, counting = counted(store)
        assert (await rows_of_user(direct, APP, "u"))[0].number == 1
        assert counting.answered == 1
    assert names(file.parent) == ["odd name?.db"]
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM users").fetchone() == (1,)
