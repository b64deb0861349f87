"""Bulk writing: as append_events does it, only faster."""

from __future__ import annotations

from dataclasses import replace

import pytest

from homefeed.store import Store
from homefeed.store.bulk import (
    EventColumns,
    StaleNumbersError,
    append_rows,
    item_pages,
    settle,
    user_pages,
)
from homefeed.store.events import append_events, rows_after
from homefeed.store.identity import row_key
from homefeed.store.items import ItemWrite, delete_item, put_items
from homefeed.store.users import erase_user, put_users
from homefeed.types import Event

APP = "streaming"


@pytest.fixture(autouse=True)
async def catalogue(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("a", {}), ItemWrite("b", {}, hidden=True), ItemWrite("c", {})])
    await put_users(store, APP, [("u", {}), ("v", {})])


def columns(*times: int, event_ids: tuple[str | None, ...] | None = None) -> EventColumns:
    ids = event_ids or (None,) * len(times)
    return EventColumns(
        keys=[row_key("u", "a", "play", 1.0, time, id_) for time, id_ in zip(times, ids, strict=True)],
        users=[1] * len(times),
        items=[1] * len(times),
        types=["play"] * len(times),
        values=[1.0 if time % 2 else None for time in times],
        times=times,
        event_ids=ids,
    )


async def test_writes_in_order_and_once(store: Store) -> None:
    first = await append_rows(store, APP, columns(5, 3, 5, 9), 100)
    assert (first.first_seq, first.inserted, first.duplicates) == (1, 3, {2: 1})
    again = await append_rows(store, APP, columns(4, 3, 4), 100)
    assert (again.first_seq, again.inserted, again.duplicates) == (5, 1, {1: 2, 2: 5})
    rows = await rows_after(store, APP, 0, 100)
    assert list(rows.seqs) == [1, 2, 4, 5]
    assert list(rows.times) == [5, 3, 9, 4]
    assert list(rows.values) == [1.0, 1.0, 1.0, None]
    assert (await store.watermarks(APP)).event_seq == 7


async def test_other_apps_have_their_own_keys(store: Store) -> None:
    await append_rows(store, APP, columns(1, 2), 100)
    assert (await append_rows(store, "other", columns(1, 2), 100)).inserted == 2


async def test_agrees_with_events_appended_one_by_one(store: Store) -> None:
    told = [
        Event("u", "a", "play", 7, 1),
        Event("u", "a", "play", 5, 1, "x"),
        Event("v", "b", "play", 8, None, "y"),
    ]
    await append_events(store, APP, told, 100)
    result = await append_rows(store, APP, columns(7, 5, 8, event_ids=(None, "x", "y")), 100)
    assert (result.inserted, result.duplicates, result.conflicts) == (1, {0: 1, 1: 2}, frozenset())


async def test_an_event_id_is_of_one_event(store: Store) -> None:
    first = await append_rows(store, APP, columns(5, 6, 7, event_ids=("x", "x", "y")), 100)
    assert (first.inserted, first.duplicates, first.conflicts) == (2, {}, frozenset({1}))
    told = columns(5, 9, 7, 5, 10, event_ids=("x", "x", "y", "y", None))
    for change in ({}, {"items": [3] * 5}, {"types": ["like"] * 5}, {"values": [9.0] * 5}):
        result = await append_rows(store, APP, replace(told, **change), 100)
        same, other = ({0: 1, 2: 3}, {1, 3}) if not change else ({}, {0, 1, 2, 3})
        assert {index: seq for index, seq in result.duplicates.items() if index != 4} == same
        assert result.conflicts == other
    assert list((await rows_after(store, APP, 0, 100)).times) == [5, 7, 10]


async def test_nothing_is_written_with_numbers_from_before_an_erasure(store: Store) -> None:
    before = (await store.watermarks(APP)).erasures
    await append_rows(store, APP, columns(1), 100, before)
    await erase_user(store, APP, "u")
    with pytest.raises(StaleNumbersError):
        await append_rows(store, APP, columns(2), 100, before)
    assert len(await rows_after(store, APP, 0, 100)) == 0


async def test_many_rows(store: Store) -> None:
    times = range(2_000)
    await append_rows(store, APP, columns(*times[::2]), 100)
    result = await append_rows(store, APP, columns(*times), 100)
    assert result.inserted == 1_000
    assert set(result.duplicates) == set(times[::2])
    await settle(store)
    assert len(await rows_after(store, APP, 0, 10_000)) == 2_000


async def test_ids_by_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("homefeed.store.bulk._PAGE", 2)
    await delete_item(store, APP, "a")
    assert [page async for page in user_pages(store, APP)] == [(("u", "v"), (1, 2))]
    assert [page async for page in item_pages(store, APP)] == [(("b", "c"), (2, 3))]
    assert [page async for page in item_pages(store, "other")] == []
