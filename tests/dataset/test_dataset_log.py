"""What trainers and evaluation are given: every event with who told it, and what is known of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from homefeed.dataset import log
from homefeed.dataset.log import read_log
from homefeed.recipe import parse_recipe
from homefeed.store import Store
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, delete_item, put_items
from homefeed.store.users import erase_user, get_user, put_users
from homefeed.types import Event

APP = "shop"
DECLARED: dict[str, Any] = {
    "app": APP,
    "items": {"fields": {"title": "text", "kind": "category", "tags": "tags", "price": "number", "until": "time"}},
    "events": {"buy": {}},
    "unknown_event_types": "accept",
    "feeds": {"home": {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}},
}
RECIPE = parse_recipe(DECLARED, "a test")

either_store = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For what is the same on every database: a database of one's own takes PostgreSQL a second."""


async def told(store: Store, *who_and_what: str) -> None:
    """Events such as "u:a": u bought a; each a moment after the one before."""
    pairs = [pair.split(":") for pair in who_and_what]
    events = [Event(user, item, "buy", 10 * time) for time, (user, item) in enumerate(pairs)]
    await append_events(store, APP, events, 0)


async def test_each_row_is_of_a_user_whose_number_and_attributes_are_known(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_PAGE", 2)
    await put_items(store, APP, [ItemWrite("a", {}), ItemWrite("b", {})])
    await put_users(store, APP, [(f"u{n}", {"age": n, "likes": ["tea"]}) for n in range(7)])
    await told(store, "u5:a", "u1:b", "new:a", "u5:b", "u3:a", "u1:a")
    await erase_user(store, APP, "u3")
    data = (await read_log(store, RECIPE, now=100, seed=0)).data
    assert data.user_count == len(data.users) == len(data.user_numbers) == 3
    numbers = {user: (await get_user(store, APP, user)).number for user in ("u1", "u5", "new")}
    names = {number: user for user, number in numbers.items()}
    assert data.user_numbers.dtype == np.int32
    assert [names[number] for number in data.user_numbers[data.interactions.users].tolist()] == [
        *("u5", "u1", "new", "u5", "u1"),
    ]
    assert {
        names[number]: dict(known) for number, known in zip(data.user_numbers.tolist(), data.users, strict=True)
    } == {
        "u1": {"age": 1, "likes": ["tea"]},
        "u5": {"age": 5, "likes": ["tea"]},
        "new": {},
    }


@either_store
async def test_who_told_nothing_usable_has_no_row(store: Store) -> None:
    await put_items(store, APP, [ItemWrite("a", {}), ItemWrite("gone", {})])
    await told(store, "u:gone", "v:a")
    await append_events(store, APP, [Event("w", "a", "unheard_of", 1)], 0)
    await delete_item(store, APP, "gone")
    data = (await read_log(store, RECIPE, now=100, seed=0)).data
    assert data.user_numbers.tolist() == [(await get_user(store, APP, "v")).number]
    assert data.interactions.users.tolist() == [0]


@either_store
async def test_words_are_those_of_fields_that_have_words(store: Store) -> None:
    item = {"title": "Tea", "kind": "drink", "tags": ["hot"], "price": 3, "until": "2026-01-01"}
    await put_items(store, APP, [ItemWrite("a", item)])
    data = (await read_log(store, RECIPE, now=100, seed=0)).data
    assert data.terms == {"title": [("Tea",)], "kind": [("drink",)], "tags": [("hot",)]}
    assert (data.user_count, data.users, data.user_numbers.tolist()) == (0, (), [])
