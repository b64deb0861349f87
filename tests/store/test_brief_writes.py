"""Writes that requests wait for do not wait for the event loop in turn, and nothing long stands in their way."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.errors import UnavailableError
from homefeed.store import Store, open_store
from homefeed.store import events as log
from homefeed.store import impressions as shown
from homefeed.store.events import Outcome, append_events, prune_events, totals
from homefeed.store.impressions import Impression, prune_impressions, write_impressions
from homefeed.store.items import ItemWrite, patch_item, put_items
from homefeed.store.users import patch_user, put_users
from homefeed.types import Event

APP = "shop"
sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)

Work = Callable[[Store], Awaitable[object]]


def buy(number: int, time: int = 7) -> Event:
    return Event(f"u{number}", "i", "buy", time, event_id=f"e{number}")


def page(number: int, time: int = 7) -> Impression:
    one = np.ones(1, np.float32)
    return Impression(f"r{number}", "home", 1, time, 0, one.astype(np.int32), one, one, ("a",), one[:, None], {})


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    async with open_store(store_url, 30.0) as opened:
        await put_items(opened, APP, [ItemWrite("i", {})])
        await put_users(opened, APP, [("u", {})])
        yield opened


@asynccontextmanager
async def busy(each: float) -> AsyncIterator[list[float]]:
    """An event loop that computes feeds: every turn takes so many seconds; the turns so far."""
    turns: list[float] = []

    async def compute() -> None:
        while True:
            turns.append(each)
            time.sleep(each)  # noqa: ASYNC251  # as a feed does
            await asyncio.sleep(0)

    task = asyncio.create_task(compute())
    try:
        yield turns
    finally:
        task.cancel()


@sqlite
@pytest.mark.parametrize(
    "write",
    [
        lambda store: append_events(store, APP, [buy(n) for n in range(100)], 9),
        lambda store: put_items(store, APP, [ItemWrite(f"i{n}", {}) for n in range(100)]),
        lambda store: patch_item(store, APP, "i", {"a": 1}),
        lambda store: put_users(store, APP, [("u", {"a": 1})]),
        lambda store: patch_user(store, APP, "u", {"a": 1}),
        lambda store: write_impressions(store, APP, [page(n) for n in range(100)]),
    ],
)
async def test_a_brief_write_takes_few_turns_of_a_busy_event_loop(store: Store, write: Work) -> None:
    await append_events(store, APP, [buy(-1)], 9)
    async with busy(0.03) as turns:
        await asyncio.sleep(0)
        before = len(turns)
        await write(store)
        assert len(turns) - before <= 6


@sqlite
async def test_a_brief_write_that_has_to_wait_for_another_process_lets_others_go_on(
    store: Store, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "homefeed.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(append_events(store, APP, [buy(1)], 9))
        for _ in range(20):
            await asyncio.sleep(0.01)
            assert (await store.watermarks(APP)).event_seq == 0
        assert not waiting.done()
        other.execute("ROLLBACK")
    assert await waiting == [Outcome.ACCEPTED]


@sqlite
async def test_a_brief_write_that_fails_leaves_nothing_and_the_next_succeeds(store: Store) -> None:
    async def fail() -> None:
        async with store.write(brief=True) as connection:
            await store.advance(connection, APP, event_seq=1)
            raise KeyError("x")

    async def only_read(whether: bool) -> None:
        async with store.writer.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            await driver.execute_fetchall(f"PRAGMA query_only = {whether:d}")

    before = await store.watermarks(APP)
    with pytest.raises(KeyError):
        await fail()
    await only_read(True)
    with pytest.raises(UnavailableError):
        await append_events(store, APP, [buy(1)], 9)
    await only_read(False)
    assert await store.watermarks(APP) == before
    assert await append_events(store, APP, [buy(1)], 9) == [Outcome.ACCEPTED]


@sqlite
async def test_no_write_of_a_server_moves_the_log_into_the_file(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "homefeed.db"
    await store.checkpoint()
    before = file.stat().st_size
    for part in range(60):
        await put_items(store, APP, [ItemWrite(f"{part} {n}", {"text": "x" * 2_000}) for n in range(50)])
    assert file.stat().st_size == before
    await store.checkpoint()
    assert file.stat().st_size > before + 5_000_000
    assert store.health.ok


async def test_pruning_goes_in_steps_between_which_others_write(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (log, shown):
        monkeypatch.setattr(module, "PRUNED_AT_ONCE", 10)
    await append_events(store, APP, [buy(n, time=n) for n in range(300)], 9)
    await write_impressions(store, APP, [page(n, time=n // 3) for n in range(300)])
    for prune in (prune_events(store, APP, 295), prune_impressions(store, APP, 95)):
        pruning = asyncio.create_task(prune)
        await asyncio.sleep(0)
        written = [await put_items(store, APP, [ItemWrite("i", {})]) for _ in range(3)]
        assert not pruning.done()
        assert written == [0] * 3
        assert await pruning in (295, 285)
    assert (await totals(store, APP, 0)).events == 5
    assert await prune_impressions(store, APP, 200) == 15
    assert await prune_events(store, APP, 999) == 5
    # Those that were deleted count as new.
    assert await append_events(store, APP, [buy(3, time=3)], 9) == [Outcome.ACCEPTED]
