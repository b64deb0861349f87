"""Opening a store, its transactions and its counters."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from homefeed.errors import HomefeedError, SettingsError
from homefeed.store import Store, Watermarks, open_store
from homefeed.store.items import ItemWrite, list_items, put_items
from homefeed.store.session import chunked
from homefeed.store.tables import items

NOBODY_THERE = "postgresql://u:sekret@127.0.0.1:1/homefeed"
COUNT = sa.select(sa.func.count()).select_from(items)


async def refused(url: str) -> str:
    """The text by which opening `url` is refused."""
    with pytest.raises(HomefeedError) as caught:
        async with open_store(url):
            pass
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("", "not a URL; expected sqlite:///FILE or postgresql://"),
        ("homefeed.db", "not a URL"),
        ("postgresql://u:sekret@host:port/db", "not a URL"),
        ("mysql://u:sekret@host/db", "mysql is not supported; expected sqlite or postgresql"),
        ("sqlite://", "SQLite needs a file: sqlite:///FILE"),
        ("sqlite:///:memory:", "SQLite needs a file: sqlite:///FILE"),
        ("postgresql://u:sekret@127.0.0.1:1/db?colour=red", "unexpected keyword argument 'colour'"),
    ],
)
async def test_a_wrong_url_is_a_wrong_setting_and_named_without_its_password(url: str, text: str) -> None:
    with pytest.raises(SettingsError, match="database_url") as caught:
        async with open_store(url):
            pass
    assert text in str(caught.value)
    assert "sekret" not in str(caught.value)


@pytest.mark.parametrize("url", [NOBODY_THERE, "postgresql://127.0.0.1:1/homefeed?user=u&password=sekret"])
async def test_an_unreachable_postgresql_is_named_without_its_password(url: str) -> None:
    text = await refused(url)
    assert "127.0.0.1:1/homefeed cannot be used" in text
    assert "sekret" not in text


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_a_wrong_password_is_not_in_the_error(store_url: str) -> None:
    url = make_url(store_url).set(password="sekret")
    text = await refused(url.render_as_string(hide_password=False))
    assert "password authentication failed" in text
    assert "sekret" not in text


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
async def test_the_usual_sslmode_is_understood(store_url: str) -> None:
    async with open_store(f"{store_url}?sslmode=prefer") as opened:
        assert await opened.probe()


async def test_the_folder_of_an_sqlite_file_is_made(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/new/deep/homefeed.db") as store:
        assert await store.probe()
    assert (tmp_path / "new" / "deep" / "homefeed.db").is_file()


async def test_files_that_cannot_be_a_store_are_reported(tmp_path: Path) -> None:
    plain = tmp_path / "notes.txt"
    plain.write_text("These are notes and no database at all. " * 50)
    assert "file is not a database" in await refused(f"sqlite:///{plain}")
    assert "cannot be used" in await refused(f"sqlite:///{plain}/homefeed.db")
    assert "unable to open database file" in await refused(f"sqlite:///{tmp_path}")


async def test_opening_a_new_file_waits_for_who_is_at_it(tmp_path: Path) -> None:
    file = tmp_path / "homefeed.db"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(0.2, other.close)
    async with open_store(f"sqlite:///{file}") as store:
        assert await store.probe()


async def test_what_was_written_is_there_when_opened_again(store: Store, store_url: str) -> None:
    await put_items(store, "shop", [ItemWrite("i", {})])
    async with open_store(store_url) as again:
        assert [item.item_id for item in await list_items(again, "shop", 0, 10)] == ["i"]
        assert await again.watermarks("shop") == Watermarks(item_number=1, item_revision=1)


async def test_a_write_that_fails_leaves_nothing(store: Store) -> None:
    async def fail() -> None:
        async with store.write() as connection:
            await store.advance(connection, "shop", item_number=1)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await store.watermarks("shop") == Watermarks()


async def test_a_reader_sees_one_state_while_others_write(store: Store) -> None:
    async with store.read() as connection:
        before = (await connection.execute(COUNT)).scalar_one()
        await put_items(store, "shop", [ItemWrite("i", {})])
        assert (await connection.execute(COUNT)).scalar_one() == before == 0
    async with store.read() as connection:
        assert (await connection.execute(COUNT)).scalar_one() == 1


async def test_counters_of_an_app_without_data_are_zero(store: Store) -> None:
    assert await store.watermarks("nothing") == Watermarks()


async def test_counters_move_by_their_steps_and_apart_from_other_apps(store: Store) -> None:
    async with store.write() as connection:
        assert await store.advance(connection, "a", event_seq=5) == Watermarks(event_seq=5)
        assert await store.advance(connection, "a", event_seq=2, item_number=1) == Watermarks(
            item_number=1, event_seq=7
        )
        assert await store.advance(connection, "a") == Watermarks(item_number=1, event_seq=7)
        assert await store.advance(connection, "b", erasures=1) == Watermarks(erasures=1)
    assert await store.watermarks("a") == Watermarks(item_number=1, event_seq=7)


async def test_concurrent_steps_are_all_counted(store: Store) -> None:
    async def step() -> int:
        async with store.write() as connection:
            return (await store.advance(connection, "a", event_seq=1)).event_seq

    assert sorted(await asyncio.gather(*(step() for _ in range(40)))) == list(range(1, 41))


async def test_a_writer_that_reads_first_waits_its_turn(store: Store) -> None:
    async def put_one_more() -> None:
        async with store.write() as connection:
            await connection.execute(COUNT)
            await store.advance(connection, "a", event_seq=1)

    await asyncio.gather(*(put_one_more() for _ in range(20)))
    assert (await store.watermarks("a")).event_seq == 20


async def test_concurrent_writers_of_one_id_agree_on_one_item(store: Store) -> None:
    created = await asyncio.gather(*(put_items(store, "shop", [ItemWrite("i", {"n": n})]) for n in range(20)))
    assert sum(created) == 1
    assert [item.number for item in await list_items(store, "shop", 0, 10)] == [1]


async def test_a_store_that_takes_writes_is_healthy(store: Store) -> None:
    assert await store.probe()


def test_slices_hold_everything_in_order() -> None:
    assert [list(part) for part in chunked(list(range(7)), 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert chunked([]) == []
