"""Both clients against a real server: every call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from homefeed.client import (
    AsyncClient,
    Client,
    Event,
    InvalidError,
    Item,
    ItemChange,
    NotFoundError,
    User,
)

if TYPE_CHECKING:
    from tests.conftest import Served

WHEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_every_call_of_the_client(served: Served, fresh: Callable[[str], str]) -> None:
    prefix = fresh("client")
    first, second, user_id = f"{prefix}/1", f"{prefix}-2", f"{prefix}-user"
    with Client(served.url, "streaming") as client:
        put = client.put_item(Item(first, {"title": "One", "genre": "Clients"}, created_at=WHEN))
        assert (put.item_id, put.hidden, put.created_at) == (first, False, WHEN)
        outcome = client.put_items([Item(second, {"title": "Two", "genre": "Clients"}), Item("", {})])
        assert (outcome.accepted, outcome.rejected[0].index, outcome.rejected_count) == (1, 1, 1)
        assert client.patch_item(ItemChange(first, {"stars": 5})).attributes["stars"] == 5
        assert client.patch_items([ItemChange(second, hidden=True), ItemChange("none")]).accepted == 1
        assert client.get_item(second).hidden is True
        assert {first, second} <= {item.item_id for item in client.items()}
        assert client.put_user(User(user_id, {"age": 30})) == User(user_id, {"age": 30})
        assert client.put_users([User(user_id, {"age": 31}), User(f"{user_id}-2")]).accepted == 2
        assert client.patch_user(User(user_id, {"region": "Iberia"})).attributes == {"age": 31, "region": "Iberia"}
        assert user_id in {user.user_id for user in client.users()}
        event = Event(user_id, first, "play", 60, event_id="e")
        assert [client.record(event).accepted, client.record(event).duplicates] == [1, 1]
        told = client.record_events([event, Event(user_id, "none", "play", 60), Event(user_id, first, "play", 61)])
        assert (told.accepted, told.duplicates, [one.index for one in told.rejected]) == (1, 1, [1])
        page = client.recommend("popular", user_id=user_id, n=3)
        assert (len(page.items), page.feed, page.user_id) == (3, "popular", user_id)
        pages = list(client.pages("popular", n=20, filters=["content_type:movie"]))
        ids = [item.item_id for page in pages for item in page.items]
        assert len(pages) > 1
        assert len(ids) == len(set(ids))
        assert client.similar("i1", n=2).items
        assert client.explain("home", first, user_id=user_id)["item_id"] == first
        assert "streaming" in {app.app for app in client.apps()}
        assert client.stats().items > 0
        client.delete_item(first)
        with pytest.raises(NotFoundError, match=f'no item "{first}" in streaming'):
            client.get_item(first)
        assert client.erase_user(user_id).events == 2
        with pytest.raises(NotFoundError):
            client.get_user(user_id)
        with pytest.raises(InvalidError, match="n: "):
            client.recommend("popular", n=0)


async def test_the_async_client(served: Served, fresh: Callable[[str], str]) -> None:
    user_id = fresh("client")
    async with AsyncClient(served.url, "streaming") as client:
        page = await client.recommend("home", user_id="u1", n=2)
        event = Event(user_id, page.items[0].item_id, "play", 60)
        assert (await client.record(event)).accepted == 1
        assert (await client.record_events([event])).accepted == 1
        assert "u1" in [user.user_id async for user in client.users()]
        pages = [page async for page in client.pages("popular", n=60)]
        assert len(pages) > 1
        assert (await client.erase_user(user_id)).events == 2


def test_a_search_of_the_shop(served: Served) -> None:
    with Client(served.url, "shop") as client:
        found = client.search("lamp", n=3)
        assert found.feed == "search"
    with Client(served.url, "none") as client, pytest.raises(NotFoundError, match='no app "none"; served here'):
        client.stats()
