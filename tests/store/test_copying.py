"""Copies of stores: the same rows on either database, whatever was copied before, or nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from homefeed.errors import ConflictError, HomefeedError
from homefeed.store import Store, copying, open_store, tables
from homefeed.store.copying import NOT_COPIED, Fingerprint, copy_store
from homefeed.store.events import Outcome, append_events
from homefeed.store.impressions import Impression, write_impressions
from homefeed.store.items import ItemWrite, delete_item, put_items
from homefeed.store.keys import create_key, list_keys, revoke_key
from homefeed.store.reports import save_report
from homefeed.store.users import put_user, put_users
from homefeed.types import DAY, Event

TOLD = [
    Event("ü \U0001f600", "i0", "play", n * 40 * DAY + n, 0.1 * n, f"e{n}" if n % 2 else None, "r", {"a": "é\\"})
    for n in range(25)
]


async def fill(store: Store, *apps: str) -> None:
    for app in apps or ("shop",):
        await put_users(store, app, [("ü \U0001f600", {"a": [1, None, "x"]}), ("v", {})])
        await put_items(store, app, [ItemWrite(f"i{n}", {"n": n}, n, n == 1) for n in range(7)])
        await append_events(store, app, TOLD, 99)
        await delete_item(store, app, "i6")
        one = np.array([0.1], np.float32)
        page: tuple[Any, ...] = (0, np.array([3], np.int32), one, one, ("a",), one[:, None], {})
        # More pages of one moment than are read at once.
        shown = [Impression(f"{name} r", "home", 1, 5 + (n > 8), *page) for n, name in enumerate("aBbCcÄäZz_-.")]
        await write_impressions(store, app, shown)
        await save_report(store, app, 7, {"rows": 1})


async def rows_of(store: Store) -> dict[str, list[Any]]:
    copied = [table for table in tables.metadata.sorted_tables if table not in NOT_COPIED]
    async with store.read() as connection:
        return {
            table.name: sorted(map(repr, map(tuple, (await connection.execute(sa.select(table))).all())))
            for table in copied
        }


def quiet(_stage: str, _done: int, _total: int) -> None:
    pass


@pytest.fixture
async def target(other_url: str) -> AsyncIterator[Store]:
    async with open_store(other_url) as opened:
        yield opened


async def test_a_copy_holds_every_row_of_either_database_on_the_other(store: Store, target: Store) -> None:
    await fill(store, "shop", "films")
    counts = await copy_store(store, target, quiet, page=4)
    assert (counts["events"], counts["items"], counts["users"], counts["impressions"]) == (50, 14, 4, 24)
    assert await rows_of(target) == await rows_of(store)
    # What was told counts once there, too, and what is new goes on from the same numbers.
    assert await append_events(target, "shop", TOLD, 99) == [Outcome.DUPLICATE] * 25
    (new,) = await append_events(target, "shop", [Event("w", "i0", "play", 3)], 99)
    assert new is Outcome.ACCEPTED
    assert (await target.watermarks("shop")).user_number == 3


async def test_a_store_with_data_of_its_own_is_not_copied_over(store: Store, target: Store) -> None:
    await fill(store)
    await put_users(target, "shop", [("mine", {})])
    with pytest.raises(ConflictError, match=r"holds data of its own \(shop\)"):
        await copy_store(store, target, quiet)
    assert (await target.watermarks("shop")).user_number == 1


async def test_keys_of_the_target_stay_beside_those_of_the_source(store: Store, target: Store) -> None:
    mine, _ = await create_key(target, "mine", "admin", None, 1)
    await copy_store(store, target, quiet)
    assert await list_keys(target) == [mine]
    theirs, _ = await create_key(store, "theirs", "read", "shop", 2)
    revoked, _ = await create_key(store, "lost", "write", None, 3)
    revoked = await revoke_key(store, "lost", 4)
    assert (await copy_store(store, target, quiet))["api_keys"] == 3
    assert await list_keys(target) == [mine, theirs, revoked]


async def test_cut_short_while_keys_are_written_those_of_the_target_are_there(
    store: Store, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, _ = await create_key(target, "mine", "admin", None, 1)
    monkeypatch.setattr(copying, "row_of", lambda _key: ("too", "few"))
    with pytest.raises(Exception, match=r"\w"):
        await copy_store(store, target, quiet)
    assert await list_keys(target) == [mine]


class CutError(Exception):
    pass


@asynccontextmanager
async def cut_short(store: Store, target: Store, at: int) -> AsyncIterator[None]:
    """A copy that fails once it has written so many rows of the log."""

    def stop(stage: str, done: int, _total: int) -> None:
        if stage == "events" and done >= at:
            raise CutError

    with pytest.raises(CutError):
        await copy_store(store, target, stop, page=4)
    yield


async def test_cut_short_it_goes_on_where_it_stopped(
    store: Store, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(store)
    async with cut_short(store, target, 12):
        written: list[int] = []
        write = copying._write

        async def noting(to: Store, table: sa.Table, rows: Any, **how: bool) -> None:
            written.extend(row.seq for row in rows if table is tables.events)
            await write(to, table, rows, **how)

        monkeypatch.setattr(copying, "_write", noting)
        assert (await copy_store(store, target, quiet, page=4))["events"] == 25
    assert len(written) == 13
    assert await rows_of(target) == await rows_of(store)


async def test_what_changed_since_a_copy_was_cut_short_is_copied_once_more(store: Store, target: Store) -> None:
    await fill(store)
    async with cut_short(store, target, 12):
        await put_user(store, "shop", "v", {"new": 1})
        await append_events(store, "shop", [Event("w", "i0", "play", 3)], 99)
        assert (await copy_store(store, target, quiet, page=4))["events"] == 26
    assert await rows_of(target) == await rows_of(store)


async def test_it_is_the_state_of_the_start_whatever_is_told_meanwhile(
    store: Store, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(store)
    before = await rows_of(store)
    write = copying._write

    async def telling(to: Store, table: sa.Table, rows: Any, **how: bool) -> None:
        await put_users(store, "shop", [("late", {}), ("v", {"changed": table.name})])
        await append_events(store, "new", [Event("w", "", "look", 3, context={"query": table.name})], 99)
        await write(to, table, rows, **how)

    monkeypatch.setattr(copying, "_write", telling)
    await copy_store(store, target, quiet)
    assert await rows_of(target) == before
    assert await rows_of(store) != before


async def test_rows_that_another_process_wrote_meanwhile_are_told(
    store: Store, target: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(store)
    monkeypatch.setattr(Fingerprint, "__eq__", lambda *_: False)
    with pytest.raises(HomefeedError, match="the users of the copy are not those that were written"):
        await copy_store(store, target, quiet)


def test_a_fingerprint_tells_rows_apart_and_not_their_order() -> None:
    one, other, third = Fingerprint(), Fingerprint(), Fingerprint()
    one.add([(1, "a", None, 2.0), (2, "b", b"", True)])
    other.add([(2, "b", b"", True)])
    other.add([(1, "a", None, 2.0)])
    third.add([(1, "a", None, 2.5), (2, "b", b"", True)])
    assert one == other
    assert one != third
