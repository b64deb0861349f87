"""A store with a made-up market of any size: users with tastes, listings with tags, interactions of six types."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from homefeed.recipe import Recipe
from homefeed.store import open_store
from homefeed.store.bulk import EventColumns, append_rows, item_pages, settle, user_pages
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import put_users
from homefeed.types import DAY

_PAGE, _PART = 5_000, 250_000
_DAYS: Final = 90
_TAGS, _TASTES = 40, 3
_HEAD: Final = 50
_SHARES: Final = {"view": 0.6, "click": 0.2, "save": 0.08, "dismiss": 0.06, "apply": 0.04, "share": 0.02}


def fill(url: str, recipe: Recipe, *, users: int, items: int, events: int, now: int, seed: int = 0) -> None:
    """Write them, the events in bulk. Times are spread over the 90 days before `now`.

    An item has two of 40 tags. A user has three, and takes half of their items from those of these; popularity
    is Zipf-Mandelbrot, 1 / (rank + 50), activity log-normal with sigma 1.
    """
    asyncio.run(_fill(url, recipe, users, items, events, now, np.random.default_rng(seed)))


async def _fill(
    url: str, recipe: Recipe, users: int, items: int, events: int, now: int, rng: np.random.Generator
) -> None:
    tags = rng.integers(_TAGS, size=(items, 2))
    async with open_store(url) as store:
        for first in range(0, items, _PAGE):
            written = [_listing(n, tags[n], rng, now) for n in range(first, min(first + _PAGE, items))]
            await put_items(store, recipe.app, written)
        for first in range(0, users, _PAGE):
            ids = [f"user-{n:07d}" for n in range(first, min(first + _PAGE, users))]
            await put_users(store, recipe.app, [(user_id, {}) for user_id in ids])
        people = [number async for _, numbers in user_pages(store, recipe.app) for number in numbers]
        listings = [number async for _, numbers in item_pages(store, recipe.app) for number in numbers]
        for part in _events(recipe, np.array(people), np.array(listings), tags, events, now, rng):
            await append_rows(store, recipe.app, part, now)
        await settle(store)


def _listing(number: int, tags: Any, rng: np.random.Generator, now: int) -> ItemWrite:
    attributes: dict[str, Any] = {
        "title": f"Listing {number}",
        "tags": [f"tag-{tag}" for tag in sorted(set(tags.tolist()))],
        "compensation": round(float(rng.uniform(10, 500)), 2),
        "poster_uid": f"poster-{number % 997}",
        "status": "open",
    }
    latitude, longitude = rng.uniform((18.9, 72.8), (19.3, 73.1)).round(5).tolist()
    attributes["location"] = {"latitude": latitude, "longitude": longitude}
    return ItemWrite(f"listing-{number:07d}", attributes, now - int(rng.uniform(0, _DAYS) * DAY))


def _events(
    recipe: Recipe, users: Any, items: Any, tags: Any, events: int, now: int, rng: np.random.Generator
) -> Iterator[EventColumns]:
    """Events in the order of their times, in parts."""
    known = [name for name in _SHARES if name in recipe.events]
    shares = np.array([_SHARES[name] for name in known])
    popularity = 1 / (rng.permutation(len(items)) + 1 + _HEAD)
    of_tag = [np.flatnonzero((tags == tag).any(axis=1)) for tag in range(_TAGS)]
    drawn = [np.cumsum(popularity[own]) for own in of_tag]
    everywhere, activity = np.cumsum(popularity), np.cumsum(rng.lognormal(0, 1, len(users)))
    tastes = rng.integers(_TAGS, size=(len(users), _TASTES))
    times = np.sort(rng.integers(now - _DAYS * DAY, now, events))
    for first in range(0, events, _PART):
        count = min(_PART, events - first)
        who = np.searchsorted(activity, rng.random(count) * activity[-1])
        what = np.searchsorted(everywhere, rng.random(count) * everywhere[-1])
        taste = tastes[who, rng.integers(_TASTES, size=count)]
        for tag, own in enumerate(of_tag):
            chosen = np.flatnonzero((taste == tag) & (rng.random(count) < 0.5)) if len(own) else np.empty(0, int)
            what[chosen] = own[np.searchsorted(drawn[tag], rng.random(len(chosen)) * drawn[tag][-1])]
        kinds = rng.choice(len(known), count, p=shares / shares.sum())
        yield EventColumns(
            keys=[rng.bytes(16) for _ in range(count)],
            users=users[who].tolist(),
            items=items[what].tolist(),
            types=[known[kind] for kind in kinds.tolist()],
            values=[None] * count,
            times=times[first : first + count].tolist(),
            event_ids=[None] * count,
        )
