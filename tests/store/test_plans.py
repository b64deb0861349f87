"""Whatever a request waits for finds its rows by an index: the databases' own plans say so."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from homefeed.store import Store
from homefeed.store.bulk import analyse
from homefeed.store.direct import Rows, Unavailable
from homefeed.store.events import append_events, latest_of_user, prune_events, rows_after, rows_of_user
from homefeed.store.impressions import (
    Impression,
    impressions_of_request,
    known_pages,
    prune_impressions,
    write_impressions,
)
from homefeed.store.items import ItemWrite, changed_items, delete_item, get_item, patch_item, put_items
from homefeed.store.shown import earliest_of_latest, first_starts
from homefeed.store.user_export import export_user
from homefeed.store.users import changed_users, erase_user, get_user, list_users, patch_user, put_user, put_users
from homefeed.types import DAY, Event

APP = "shop"
LARGE = ("events", "impressions", "items", "users")
TOLD = [Event(user, "i", "buy", n * 40 * DAY, None, f"{n}", "r") for n in range(3) for user in "uvw"]

Work = Callable[[Store], Awaitable[object]]
Statement = tuple[str, Any]

ON_THE_WAY: Mapping[str, Work] = {
    "a user": lambda store: rows_of_user(store, APP, "u"),
    "a user's attributes": lambda store: get_user(store, APP, "u"),
    "a user's history": lambda store: latest_of_user(store, APP, "u", 20, since=1),
    "an event": lambda store: append_events(store, APP, [*TOLD[:3], Event("new", "i", "buy", 2)], 9),
    "an item": lambda store: get_item(store, APP, "i"),
    "writing an item": lambda store: put_items(store, APP, [ItemWrite("i", {}), ItemWrite("j", {})], ["a"]),
    "changing an item": lambda store: patch_item(store, APP, "i", {"a": 1}),
    "writing a user": lambda store: put_user(store, APP, "u", {}, ["a"]),
    "changing a user": lambda store: patch_user(store, APP, "u", {"a": 1}),
    "exporting a user": lambda store: export_user(store, APP, "u", most=10),
    "what is new in the log": lambda store: rows_after(store, APP, 2, 10, 5, user_ids=True),
    "items that changed": lambda store: changed_items(store, APP, (1, 1), 10),
    "users that changed": lambda store: changed_users(store, APP, (1, 1), 10),
    "a page of users": lambda store: list_users(store, APP, 1, 10),
    "the pages of a request": lambda store: impressions_of_request(store, APP, "r"),
    "known pages": lambda store: known_pages(store, APP, ["r", "s"]),
    "where pages begin": lambda store: first_starts(store, APP, ["r"]),
    "latest pages": lambda store: earliest_of_latest(store, APP, 1, 9, 2),
    "writing a page": lambda store: write_impressions(store, APP, [page("s", 9)]),
    "deleting an item": lambda store: delete_item(store, APP, "i"),
    "erasing a user": lambda store: erase_user(store, APP, "u"),
    "pruning pages": lambda store: prune_impressions(store, APP, 2),
}


def page(name: str, time: int) -> Impression:
    one = np.ones(1, np.float32)
    return Impression(
        name, "home", time % 300 + 1, time, 0, np.ones(1, np.int32), one, one, ("a",), one[:, None], {}
    )


class Nowhere:
    """Reads that go by the engine, which tells its statements."""

    async def fetch(self, _query: sa.Select[Any], _values: Mapping[str, Any]) -> Rows:
        raise Unavailable

    async def close(self) -> None:
        pass


@asynccontextmanager
async def listening(store: Store) -> AsyncIterator[list[Statement]]:
    """The statements that read, change or delete rows."""
    heard: list[Statement] = []

    def hear(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        if re.match(r"SELECT|UPDATE|DELETE|WITH", statement):
            heard.append((statement, parameters[0] if many else parameters))

    engines = [engine.sync_engine for engine in (store.engine, store.writer)]
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", hear)
    try:
        yield heard
    finally:
        for engine in engines:
            sa.event.remove(engine, "before_cursor_execute", hear)


async def unindexed(store: Store, heard: list[Statement]) -> list[str]:
    """The steps that read a large table by no more than the app, where no index is passed over for small size."""
    found = []
    async with store.read() as connection:
        if store.dialect == "postgresql":
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        for statement, parameters in heard:
            if store.dialect == "sqlite":
                plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                found += [f"{step} in {statement}" for *_, step in plan.all() if reads_all_on_sqlite(step)]
            else:
                plan = await connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
                steps = nodes(plan.scalar_one()[0]["Plan"])
                found += [f"{node} in {statement}" for node in steps if reads_all_on_postgresql(node)]
    return found


def reads_all_on_sqlite(step: str) -> bool:
    match = re.match(rf"(SCAN|SEARCH) ({'|'.join(LARGE)})\b(.*)", step)
    return match is not None and (match[1] == "SCAN" or " AND " not in match[3])


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def reads_all_on_postgresql(node: dict[str, Any]) -> bool:
    if node["Node Type"] == "ModifyTable" or not node.get("Relation Name", "").startswith(LARGE):
        return False
    condition = node.get("Index Cond") or node.get("Recheck Cond") or ""
    return " AND " not in condition


async def fill(store: Store) -> None:
    """So much that an index is worth its while: of a few rows PostgreSQL takes any."""
    many = range(400)
    await put_users(store, APP, [("u", {}), ("v", {}), *((f"user {n}", {}) for n in many)])
    await put_items(store, APP, [ItemWrite("i", {}), *(ItemWrite(f"item {n}", {}) for n in many)])
    others = [Event(f"user {n}", f"item {n}", "buy", n % 3 * 40 * DAY, None, "e") for n in many]
    await append_events(store, APP, [*TOLD, *others], 9)
    await write_impressions(store, APP, [page("r", 1), page("s", 3), *(page(f"r {n}", n) for n in many)])
    await analyse(store)


async def test_every_read_on_the_way_of_a_request_goes_by_an_index(store: Store) -> None:
    await fill(store)
    by_engine = replace(store, direct=Nowhere())
    for name, work in ON_THE_WAY.items():
        async with listening(store) as heard:
            await work(by_engine)
        assert heard or name == "writing a page", name
        assert await unindexed(store, heard) == [], name


@pytest.mark.parametrize(
    "statement", ["SELECT * FROM events WHERE value = 1", "DELETE FROM users WHERE app = 'a'"]
)
async def test_a_read_without_an_index_is_found_out(store: Store, statement: str) -> None:
    await fill(store)
    assert len(await unindexed(store, [(statement, ())])) >= 1


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
async def test_only_what_no_request_waits_for_reads_the_whole_log(store: Store) -> None:
    await fill(store)
    async with listening(store) as heard:
        await prune_events(store, APP, 2)
    assert await unindexed(store, heard)
