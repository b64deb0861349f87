"""What is erased is in no byte of the database and of what SQLite keeps beside it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from homefeed.store import Store, open_store
from homefeed.store.erasing import forget_erased
from homefeed.store.events import append_events, prune_events
from homefeed.store.impressions import Impression, write_impressions
from homefeed.store.items import ItemWrite, delete_item, put_items
from homefeed.store.reports import list_reports, save_report
from homefeed.store.tables import metadata, reports
from homefeed.store.users import erase_user, get_user, put_users
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


async def test_of_an_erased_user_neither_a_page_they_were_shown_nor_a_report_is_left(
    store: Store, tmp_path: Path
) -> None:
    """MARK is their id: it is in the log's ids of requests, and in rows that an import refused."""
    await put_items(store, APP, [ItemWrite("b", {})])
    await append_events(store, APP, [Event(user, "b", "play", 5, None, user, MARK) for user in (MARK, "v")], 1)
    number = (await get_user(store, APP, MARK)).number
    one, items = np.ones(1, np.float32), np.ones(1, np.int32)
    page = Impression(MARK, "home", number, 5, 0, items, one, one, ("popular",), one[:, None], {})
    await write_impressions(store, APP, [page])
    rows = [
        {"row": n, "values": {"user": text, "rating": "9"}} for n, text in enumerate((MARK, f"{MARK[:9]}...", "v"))
    ]
    tally = {"reason": "rating is above 5", "count": 3, "examples": rows}
    report = {"files": {"events": {"path": "events.csv", "rejected": [tally]}}}
    for app in (APP, "shop"):
        await save_report(store, app, 7, report)
    await erase_user(store, APP, MARK)
    (kept_report,) = await list_reports(store, APP)
    (other,) = await list_reports(store, "shop")
    assert kept_report.report["files"]["events"]["rejected"] == [tally | {"examples": rows[2:]}]
    assert other.report == report
    await erase_user(store, APP, "v")
    async with store.write() as connection:
        await connection.execute(reports.delete())
        held = [
            row
            for table in metadata.sorted_tables
            for row in (await connection.execute(sa.select(table))).all()
            if MARK in repr(row)
        ]
    assert held == []
    assert await forget_erased(store)
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
