"""A log of pages and events to join, as short to write down as it can be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from homefeed.dataset.followed import Followed, find_followed
from homefeed.dataset.impressions import ShownItems, stream_shown_items
from homefeed.recipe import Recipe, parse_recipe
from homefeed.store import Store
from homefeed.store.events import append_events
from homefeed.store.impressions import Impression, write_impressions
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import list_users, put_users
from homefeed.times import LATEST
from homefeed.types import SECOND, Event

MINUTE: Final = 60 * SECOND
START: Final = 20_000 * 86_400 * SECOND


def recipe_with(app: str = "shop", **impressions: Any) -> Recipe:
    """A recipe with events of a click, a sale and a search, and the settings of its impressions."""
    feed = {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}
    declared: dict[str, Any] = {
        "app": app,
        "items": {"fields": {"title": "text"}},
        "events": {"click": {}, "buy": {}, "search": {"about": "query"}},
        "unknown_event_types": "accept",
        "impressions": impressions,
        "feeds": {"home": feed, "best": feed},
    }
    return parse_recipe(declared, "a test")


@dataclass(frozen=True)
class Page:
    """Items "a" to "z" as shown so many minutes after the start."""

    minute: float
    items: str
    user: str | None = "u"
    request: str = "r"
    feed: str = "home"
    start: int = 0
    reused: bool = False


@dataclass(frozen=True)
class Told:
    """An event so many minutes after the start."""

    minute: float
    item: str
    user: str = "u"
    request: str | None = None
    type: str = "click"


async def write_log(
    store: Store, app: str, pages: Sequence[Page], events: Sequence[Told], **settings: Any
) -> None:
    """Write a log. Events come first: so nothing is known against the requests that they name."""
    names = sorted({item for page in pages for item in page.items} | {event.item for event in events})
    await put_items(store, app, [ItemWrite(name, {"title": name}) for name in names])
    users = sorted({page.user for page in pages if page.user} | {event.user for event in events})
    await put_users(store, app, [(user, {}) for user in users])
    told = [
        Event(e.user, e.item, e.type, at(e.minute), event_id=str(n), request_id=e.request)
        for n, e in enumerate(events)
    ]
    await append_events(store, app, told, max((event.time for event in told), default=0))
    numbers = {user.user_id: user.number for user in await list_users(store, app, 0, 100)}
    item_numbers = {name: number for number, name in enumerate(names, 1)}
    await write_impressions(store, app, [impression(page, numbers, item_numbers, **settings) for page in pages])


def impression(page: Page, users: dict[str, int], items: dict[str, int], **settings: Any) -> Impression:
    """The page as it is stored: its scores fall from 1, its feature is the place."""
    n = len(page.items)
    row = {
        "request_id": page.request,
        "feed": page.feed,
        "user": None if page.user is None else users[page.user],
        "time": at(page.minute),
        "start": page.start,
        "items": np.array([items[item] for item in page.items], np.int32),
        "scores": np.linspace(1, 0.5, n, dtype=np.float32),
        "propensities": np.full(n, 0.25, np.float32),
        "feature_names": ("place",),
        "features": np.arange(page.start, page.start + n, dtype=np.float32)[:, None],
        "models": {"signals": "v1"},
        "reused": page.reused,
        "served_by": f"{page.feed}/weighted",
    }
    return Impression(**{**row, **settings})


def at(minute: float) -> int:
    """The time so many minutes after the start."""
    return START + round(minute * MINUTE)


async def joined(
    store: Store, recipe: Recipe, since: float | None = None, until: float | None = None
) -> tuple[Followed, list[ShownItems]]:
    """The data set of a period in minutes."""
    bounds = (0 if since is None else at(since), LATEST if until is None else at(until))
    followed = await find_followed(store, recipe, *bounds)
    return followed, [shown async for shown in stream_shown_items(store, recipe, followed)]


def rows_of(parts: Sequence[ShownItems]) -> list[tuple[Any, ...]]:
    """(request, feed, place, item, clicks, sales, seconds to the first click, examined) of each item shown."""
    return [
        (
            part.request_ids[page],
            part.feeds[page],
            place,
            chr(ord("a") + item - 1),
            *counts,
            None if np.isnan(seconds[0]) else seconds[0],
            examined,
        )
        for part in parts
        for page, place, item, counts, seconds, examined in zip(
            part.pages.tolist(),
            part.places.tolist(),
            part.items.tolist(),
            part.counts.tolist(),
            part.seconds.tolist(),
            part.examined.tolist(),
            strict=True,
        )
    ]
