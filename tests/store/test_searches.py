"""Events about a query: kept like others, once however often sent, of no item."""

from __future__ import annotations

from dataclasses import replace

import pytest

from homefeed.store import Store
from homefeed.store.events import (
    Outcome,
    append_events,
    latest_of_user,
    rows_after,
    rows_of_user,
)
from homefeed.store.identity import NO_ITEM, event_key
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import erase_user
from homefeed.types import Event

APP = "shop"


def search(text: str = "red shoes", time: int = 1_000, **more: object) -> Event:
    return replace(Event("u", "", "search_query", time, context={"query": text}), **more)  # type: ignore[arg-type]


def click(time: int, **context: str) -> Event:
    return Event("u", "A000000001", "product_click", time, context=context)


def test_the_query_of_an_event() -> None:
    assert search("red shoes").query == "red shoes"
    assert click(1, query="red shoes").query is None


def test_keys_differ_where_words_differ() -> None:
    same = {event_key(search()), event_key(search())}
    assert len(same) == 1
    others = [
        search("red shoe"),
        search(time=1_001),
        search(user_id="v"),
        search(event_type="other"),
        Event("u", "red shoes", "search_query", 1_000),
        Event("u", "query 'red shoes'", "search_query", 1_000),
    ]
    assert len({*map(event_key, others), *same}) == len(others) + 1
    assert event_key(search(event_id="e")) == event_key(search("else", event_id="e"))
    assert event_key(search(event_id="e")) != event_key(search(event_id="e", user_id="v"))


async def test_an_event_id_is_of_one_search(store: Store) -> None:
    told = [
        search(event_id="e"),
        search("boots", event_id="e"),
        search(event_id="e", context={"query": "red shoes", "page": 2}),
    ]
    outcomes = [Outcome.ACCEPTED, Outcome.CONFLICT, Outcome.DUPLICATE]
    assert await append_events(store, APP, told, 5) == outcomes
    assert await append_events(store, APP, told, 5) == [Outcome.DUPLICATE, *outcomes[1:]]


async def test_a_search_is_written_once_and_read_back(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("A000000001", {"name": "A"})])
    sent = [search(), search(), click(2_000, query="red shoes"), search("boots", 3_000)]
    outcomes = await append_events(store, APP, sent, 9_000)
    assert outcomes == [Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.ACCEPTED, Outcome.ACCEPTED]
    assert await append_events(store, APP, [search()], 9_000) == [Outcome.DUPLICATE]

    _, rows = await rows_of_user(store, APP, "u")
    assert list(rows.queries) == ["red shoes", None, "boots"]
    assert [item == NO_ITEM for item in rows.items] == [True, False, True]
    after = await rows_after(store, APP, 0, 10)
    assert list(after.items) == list(rows.items)
    assert list(after.queries) == []

    newest = await latest_of_user(store, APP, "u", 10)
    assert [(event.item_id, event.context.get("query"), about) for event, about in newest] == [
        ("", "boots", None),
        ("A000000001", "red shoes", '{"name":"A"}'),
        ("", "red shoes", None),
    ]


@pytest.mark.parametrize(("since", "expected"), [(None, 3), (1_000, 3), (1_001, 2), (3_000, 1), (3_001, 0)])
async def test_the_latest_since_a_time(store: Store, since: int | None, expected: int) -> None:
    await put_items(store, APP, [ItemWrite("A000000001", {"name": "A"})])
    await append_events(store, APP, [search(), click(2_000), search("boots", 3_000)], 9_000)
    assert len(await latest_of_user(store, APP, "u", 10, since)) == expected


async def test_searches_are_kept_apart_by_app_and_erased_with_their_user(store: Store) -> None:
    await append_events(store, APP, [search()], 9_000)
    await append_events(store, "other", [search()], 9_000)
    assert await erase_user(store, APP, "u") == 1
    assert await latest_of_user(store, APP, "u", 10) == []
    assert len(await latest_of_user(store, "other", "u", 10)) == 1
