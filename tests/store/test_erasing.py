"""What is erased is in no byte of the database and of what SQLite keeps beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from homefeed.store import Store, open_store
from homefeed.store.erasing import forget_erased
from homefeed.store.events import append_events, prune_events
from homefeed.store.items import ItemWrite, delete_item, put_items
from homefeed.store.users import erase_user, put_users
from homefeed.types import Event

APP = "streaming"
MARK = "a mark that is nowhere else"


def kept(folder: Path) -> list[str]:
    """The files with the mark in any byte."""
    return [path.name for path in sorted(folder.iterdir()) if MARK.encode() in path.read_bytes()]


async def filled(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("a", {"title": MARK}), ItemWrite("b", {"title": "B"})])
    await put_users(store, APP, [("u", {"about": MARK}), ("v", {})])
    told = [
        Event(user, "b", "play", 5 + n, 1.0, f"{n} {text}", context={"about": text})
        for user, text in (("u", MARK), ("v", "else"))
        for n in range(300)
    ]
    await append_events(store, APP, told, 1)


async def test_of_an_erased_user_no_byte_is_left(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/homefeed.db") as store:
        await filled(store)
        await delete_item(store, APP, "a")
        assert await erase_user(store, APP, "u") == 300
        assert kept(tmp_path) != []
        assert await forget_erased(store)
        assert kept(tmp_path) == []
        assert (tmp_path / "homefeed.db-wal").stat().st_size == 0
    assert kept(tmp_path) == []


async def test_of_pruned_events_no_byte_is_left(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/homefeed.db") as store:
        await filled(store)
        await delete_item(store, APP, "a")
        await put_users(store, APP, [("u", {})])
        assert await prune_events(store, APP, 10_000) == 600
        assert await forget_erased(store)
        assert kept(tmp_path) == []


async def test_while_somebody_reads_what_was_before_it_is_told(tmp_path: Path) -> None:
    file = tmp_path / "homefeed.db"
    async with open_store(f"sqlite:///{file}") as store:
        await filled(store)
        with closing(sqlite3.connect(file, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM events").fetchall()
            await erase_user(store, APP, "u")
            await delete_item(store, APP, "a")
            assert not await forget_erased(store)
        assert await forget_erased(store)
        assert kept(tmp_path) == []


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_postgresql_sees_to_its_own_log(store: Store) -> None:
    assert await forget_erased(store)
