"""What a user gets who asks for all that is stored of them: everything of theirs, and nothing of others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from homefeed.errors import InvalidError, NotFoundError
from homefeed.store import Store
from homefeed.store.events import append_events
from homefeed.store.impressions import Impression, write_impressions
from homefeed.store.items import ItemWrite, delete_item, put_items
from homefeed.store.user_export import export_user
from homefeed.store.users import get_user, put_users
from homefeed.types import SECOND, Event


async def fill(store: Store) -> None:
    await put_users(store, "shop", [("u", {"age": 40}), ("v", {"age": 50})])
    await put_items(store, "shop", [ItemWrite("a", {}), ItemWrite("b", {})])
    told = [
        Event("u", "", "look", 2 * SECOND, context={"query": "tea"}),
        Event("u", "b", "buy", 1 * SECOND, 2.5, "e", "r"),
        Event("v", "a", "buy", 1 * SECOND),
    ]
    await append_events(store, "shop", told, 9 * SECOND)
    one = np.array([0.5, 0.25], np.float32)
    for name, user in (("r", "u"), ("s", "v")):
        number = (await get_user(store, "shop", user)).number
        page: tuple[Any, ...] = (
            3 * SECOND,
            20,
            np.array([2, 1], np.int32),
            one,
            one,
            (),
            np.zeros((2, 0), np.float32),
            {},
        )
        await write_impressions(store, "shop", [Impression(name, "home", number, *page)])
    await delete_item(store, "shop", "b")


async def test_it_is_all_of_theirs_and_nothing_of_others(store: Store) -> None:
    await fill(store)
    event = {"received_at": "1970-01-01T00:00:09Z", "value": None, "event_id": None, "request_id": None}
    assert await export_user(store, "shop", "u", most=3) == {
        "app": "shop",
        "user_id": "u",
        "attributes": {"age": 40},
        "events": [
            event
            | {"item_id": "b", "event_type": "buy", "value": 2.5, "timestamp": "1970-01-01T00:00:01Z"}
            | {"event_id": "e", "request_id": "r", "context": {}},
            event
            | {"item_id": None, "event_type": "look", "timestamp": "1970-01-01T00:00:02Z"}
            | {"context": {"query": "tea"}},
        ],
        "impressions": [
            {
                "request_id": "r",
                "feed": "home",
                "variant": "",
                "timestamp": "1970-01-01T00:00:03Z",
                "items": [
                    {"item_id": "b", "place": 20, "score": 0.5},
                    {"item_id": "a", "place": 21, "score": 0.25},
                ],
            }
        ],
    }


async def test_more_than_its_bound_is_refused(store: Store) -> None:
    await fill(store)
    with pytest.raises(InvalidError, match="homefeed users export shop USER writes them all"):
        await export_user(store, "shop", "u", most=2)


async def test_who_is_unknown_gets_nothing(store: Store) -> None:
    await fill(store)
    with pytest.raises(NotFoundError, match='no user "w" in shop'):
        await export_user(store, "shop", "w")
