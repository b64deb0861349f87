"""Trouble of a store, real: locked, full, frozen, cut off. It is told, it ends in time, and it passes."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from structlog.testing import capture_logs
from tests.embedded_postgresql import frozen, postgresql_is_installed, running_postgresql

from homefeed.errors import UnavailableError
from homefeed.store import Store, open_store
from homefeed.store.items import ItemWrite, get_item, list_items, put_items
from homefeed.store.tables import apps, items
from homefeed.store.trouble import trouble_of
from homefeed.store.users import get_user, put_users

DEADLINE = 2.0
sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
postgresql = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    async with open_store(store_url, DEADLINE) as opened:
        await put_items(opened, "shop", [ItemWrite("i", {})])
        yield opened


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Another process is at a long write."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@asynccontextmanager
async def row_locked(store_url: str) -> AsyncIterator[None]:
    """Another process holds the counters of all apps."""
    connection = await asyncpg.connect(store_url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT * FROM apps FOR UPDATE")
            yield
    finally:
        await connection.close()


async def seconds_of(work: Awaitable[Any], text: str) -> float:
    """How long it takes until `work` is refused with a text."""
    started = time.monotonic()
    with pytest.raises(UnavailableError, match=f"{text}.*try again"):
        await work
    return time.monotonic() - started


def is_well(store: Store) -> bool:
    return store.health.ok


async def put(store: Store, item_id: str, size: int = 1) -> int:
    return await put_items(store, "shop", [ItemWrite(item_id, {"text": "x" * size})])


@sqlite
async def test_however_many_writers_wait_each_is_refused_in_time_and_readers_wait_for_none(
    store: Store, tmp_path: Path
) -> None:
    with locked(tmp_path / "homefeed.db"):
        started = time.monotonic()
        writers = asyncio.gather(*(put(store, f"new{n}") for n in range(60)), return_exceptions=True)
        await asyncio.sleep(0.1)
        for _ in range(20):
            assert (await get_item(store, "shop", "i")).item_id == "i"
            assert (await store.watermarks("shop")).item_number == 1
        assert time.monotonic() - started < DEADLINE
        refused = await writers
        assert time.monotonic() - started < 2 * DEADLINE
    assert {type(error) for error in refused} == {UnavailableError}
    assert not is_well(store)
    assert await put(store, "new") == 1
    assert is_well(store)
    assert [item.item_id for item in await list_items(store, "shop", 0, 99)] == ["i", "new"]


@postgresql
async def test_a_writer_waits_no_longer_for_a_lock_of_postgresql(store: Store, store_url: str) -> None:
    async with row_locked(store_url):
        assert await seconds_of(put(store, "new"), "the store (is locked|does not answer)") < DEADLINE + 0.5
        assert (await get_item(store, "shop", "i")).item_id == "i"
    assert await put(store, "new") == 1
    assert is_well(store)


@sqlite
async def test_a_full_disk_is_told_once_and_over_when_there_is_room(store: Store) -> None:
    async def limit(pages: int) -> None:
        async with store.write() as connection:
            await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    with capture_logs() as told:
        await limit(1)  # no fewer than there are
        for item_id in ("big", "bigger", "biggest"):
            await seconds_of(put(store, item_id, 1_000_000), "the disk of the store is full")
            assert not is_well(store)
        assert (await get_item(store, "shop", "i")).item_id == "i"
        assert not is_well(store)
        await limit(1_000_000)
        assert await put(store, "big", 1_000_000) == 1
    assert is_well(store)
    assert [(line["log_level"], line["event"]) for line in told] == [
        ("error", "the store is in trouble"),
        ("info", "the store takes writes again"),
    ]
    assert told[0]["cause"] == "database or disk is full"


@sqlite
async def test_a_store_that_may_only_be_read_is_found_out_by_the_probe(store: Store) -> None:
    async with store.write() as connection:
        await connection.exec_driver_sql("PRAGMA query_only = 1")
    assert is_well(store)
    assert not await store.probe()
    assert not is_well(store)
    assert (await get_item(store, "shop", "i")).item_id == "i"


async def test_a_probe_leaves_the_apps_as_they_are(store: Store) -> None:
    before = await store.watermarks("shop")
    assert [await store.probe() for _ in range(3)] == [True] * 3
    assert await store.watermarks("shop") == before
    assert (await store.watermarks("")).event_seq == 3


@postgresql
async def test_a_probe_waits_for_no_apps_writers(store: Store, store_url: str) -> None:
    connection = await asyncpg.connect(store_url)
    async with connection.transaction():
        await connection.execute("SELECT * FROM apps WHERE app = 'shop' FOR UPDATE")
        assert await store.probe()
    await connection.close()


@postgresql
async def test_lost_connections_are_trouble_that_passes(store: Store, store_url: str) -> None:
    async def throw_out(connection: Any) -> None:
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> $2"
        name = store_url.rsplit("/", 1)[1]
        await connection.execute(others, name, connection.get_server_pid())

    async def write_while_thrown_out() -> None:
        async with store.write() as writing:
            await store.advance(writing, "shop", item_revision=1)
            await throw_out(other)
            await store.advance(writing, "shop", item_revision=1)

    other = await asyncpg.connect(store_url)
    before = await store.watermarks("shop")
    await seconds_of(write_while_thrown_out(), "the store does not answer")
    assert await store.watermarks("shop") == before
    assert await store.probe()
    await other.close()


@pytest.mark.skipif(not postgresql_is_installed(), reason="a PostgreSQL of the test's own is to be frozen")
async def test_nothing_waits_longer_for_a_frozen_postgresql_and_all_goes_on_after() -> None:
    with running_postgresql() as url:
        async with open_store(url, DEADLINE) as store:
            await put(store, "i")
            await put_users(store, "shop", [("u", {})])
            with frozen(url):
                for _ in range(2):
                    started = time.monotonic()
                    refused = await asyncio.gather(
                        *(store.watermarks("shop") for _ in range(30)),
                        *(get_user(store, "shop", "u") for _ in range(30)),
                        *(put(store, f"new{n}") for n in range(30)),
                        return_exceptions=True,
                    )
                    assert time.monotonic() - started < 3 * DEADLINE
                    assert {type(error) for error in refused} == {UnavailableError}
                assert not await store.probe()
            async with asyncio.timeout(20):
                while not await store.probe():  # it takes a moment to come to itself
                    pass
            assert (await get_user(store, "shop", "u")).user_id == "u"
            assert await put(store, "after") == 1


@pytest.mark.skipif(not postgresql_is_installed(), reason="a PostgreSQL of the test's own is to be frozen")
async def test_a_store_on_a_frozen_postgresql_can_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("homefeed.store.session._CLOSING_SECONDS", 0.2)
    with running_postgresql() as url:
        opened = open_store(url, DEADLINE)
        store = await opened.__aenter__()
        await store.watermarks("shop")
        with frozen(url):
            started = time.monotonic()
            await opened.__aexit__(None, None, None)
            assert time.monotonic() - started < 10


async def test_mistakes_are_no_trouble(store: Store) -> None:
    async def insert_twice() -> None:
        async with store.write() as connection:
            row = (await connection.execute(sa.select(apps).where(apps.c.app == "shop"))).mappings().one()
            await connection.execute(apps.insert(), [dict(row)])

    async def read_nothing() -> None:
        async with store.read() as connection:
            await connection.exec_driver_sql("SELECT * FROM nothing")

    with pytest.raises(IntegrityError):
        await insert_twice()
    with pytest.raises((OperationalError, ProgrammingError)):
        await read_nothing()
    assert is_well(store)
    assert trouble_of(ValueError("x")) is None


async def test_what_fails_inside_a_transaction_is_raised_as_it_is_and_leaves_nothing(store: Store) -> None:
    async def fail() -> None:
        async with store.write() as connection:
            await connection.execute(items.delete())
            raise KeyError("x")

    with pytest.raises(KeyError):
        await fail()
    assert is_well(store)
    assert (await get_item(store, "shop", "i")).item_id == "i"
