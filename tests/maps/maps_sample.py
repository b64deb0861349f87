"""A small app with items and users on the map."""

from __future__ import annotations

from homefeed.recipe import Recipe, parse_recipe
from homefeed.store import Store
from homefeed.store.events import append_events
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import put_users
from homefeed.types import SECOND, Event

NOW = 1_768_478_400 * SECOND
HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=a()>'\"&\u2028{{ 7 * 7 }}"


def recipe(*, located: bool = True) -> Recipe:
    """Stalls that people visit."""
    fields = {"title": "text", "town": "category", "kind": "category"}
    return parse_recipe(
        {
            "app": "stalls",
            "title": "Stalls",
            "items": {"fields": fields | ({"location": "location"} if located else {})},
            "users": {
                "fields": {"private": "category", "town": "category"} | ({"home": "location"} if located else {})
            },
            "events": {"visit": {}},
            "privacy": {"opt_out": "private"},
            "feeds": {
                "near": {
                    "retrieve": {"nearby": {"place_name": "town"}} if located else {"popular": {}},
                    "rank": {"weighted": {"weights": {"nearby" if located else "popular": 1.0}}},
                }
            },
        },
        "stalls",
    )


def stall(item_id: str, place: str | None, **attributes: str) -> ItemWrite:
    """A stall somewhere, or nowhere."""
    return ItemWrite(item_id, attributes | ({} if place is None else {"location": place}))


async def fill(store: Store, items: list[ItemWrite], users: dict[str, dict[str, str]], visits: list[str]) -> None:
    """Write them; a visit is `user item`."""
    await put_items(store, "stalls", items)
    await put_users(store, "stalls", list(users.items()))
    pairs = [visit.split() for visit in visits]
    events = [Event(user, item, "visit", NOW - n * SECOND) for n, (user, item) in enumerate(pairs, 1)]
    await append_events(store, "stalls", events, NOW)
