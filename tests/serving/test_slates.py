"""Kept slates: pages go on through what was ranked when they began, as long as that holds, and for nobody else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.recipe import parse_recipe
from homefeed.serving import FeedRequest, LiveApp
from homefeed.serving import cursor as cursors
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.events import prune_events
from homefeed.store.items import ItemWrite, get_item, patch_item, put_items
from homefeed.store.users import patch_user, put_users
from homefeed.train import train_app
from homefeed.types import DAY, SECOND, Condition, Event

APP = "streaming"
NOW = 1_700_000_000 * SECOND
FILMS = 80
EXCLUDED = "i79"
MINE = Event("u", "i0", "play", NOW - DAY, 1.0)
"""What user u did, and did long ago, too; so short that they have not had enough of it."""

# What is tested here is the same on every database.
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


async def opened(store: Store, folder: Path, slate_cache: int = 1_000) -> LiveApp:
    environment = Environment(lambda: NOW)
    app = LiveApp(find_recipe(APP), store, ArtifactStore(folder), environment, slate_cache=slate_cache)
    await app.start()
    return app


async def put_films(store: Store, count: int) -> None:
    films = [
        ItemWrite(f"i{n}", {"title": f"Film {n}", "genre": [f"g{n % 3}"]}, NOW - (n % 40 + 1) * DAY)
        for n in range(count)
    ]
    await put_items(store, APP, films)


@pytest.fixture
async def app(store: Store, tmp_path: Path) -> LiveApp:
    await put_films(store, FILMS)
    await put_users(store, APP, [("u", {"age": 30}), ("v", {"age": 30})])
    app = await opened(store, tmp_path)
    await others_watch(app, range(30))
    await app.append([MINE, replace(MINE, time=NOW - 20 * DAY)])
    await app.refresh()
    return app


async def others_watch(app: LiveApp, items: range) -> None:
    """The earlier in `items` the more: what is popular, and trends, is in another order afterwards."""
    plays = [
        Event(f"w{person}", f"i{item}", "play", NOW - person * SECOND, 2_000.0)
        for place, item in enumerate(items)
        for person in range(60 - place)
    ]
    await app.append(plays)
    await app.refresh()


def asked(feed: str = "popular", user: str | None = "u", **more: Any) -> FeedRequest:
    return FeedRequest(feed, user, **{"n": 5, **more})


async def page(app: LiveApp, request: FeedRequest) -> tuple[list[str], str | None]:
    answer = await app.recommend(request)
    assert answer.slate.failed == {}
    return [answer.catalog.item_id(position) for position in answer.slate.positions.tolist()], answer.next_cursor


async def first_page(app: LiveApp, request: FeedRequest) -> tuple[list[str], str]:
    shown, cursor = await page(app, request)
    assert cursor is not None
    return shown, cursor


async def anew(app: LiveApp, request: FeedRequest, shown: list[str]) -> list[str]:
    """The page after `shown`, ranked now."""
    found, _ = await page(app, replace(request, cursor=None, exclude=(*request.exclude, *shown)))
    return found


@pytest.mark.parametrize("feed", ["popular", "trending", "fresh", "home", "similar"])
async def test_pages_keep_the_order_of_the_slate_they_began_with_while_others_act(app: LiveApp, feed: str) -> None:
    request = asked(feed, item_id="i7" if feed == "similar" else None)
    whole, _ = await page(app, replace(request, n=40))
    shown, cursor = await first_page(app, request)
    for number in range(1, 6):
        await others_watch(app, range(30 + 8 * number, 30 + 8 * number - 9, -1))
        more, cursor = await first_page(app, replace(request, cursor=cursor))
        shown += more
    assert shown == whole[:30]
    new, _ = await page(app, replace(request, n=41))
    assert new[:40] != whole, "what others did changes a new slate"


async def test_a_page_may_be_longer_or_shorter_than_the_one_before(app: LiveApp) -> None:
    whole, _ = await page(app, asked(n=40))
    shown, cursor = await first_page(app, asked())
    for n in (1, 13, 2):
        await others_watch(app, range(60, 50, -1))
        more, cursor = await first_page(app, asked(n=n, cursor=cursor))
        assert len(more) == n
        shown += more
    assert shown == whole[:21]


async def own_event(app: LiveApp) -> None:
    await app.append([replace(MINE, item_id="i1", time=NOW)])


async def one_event_for_another(app: LiveApp) -> None:
    """An old one is pruned, a less old one imported: neither their number nor the latest tells of it."""
    assert await prune_events(app.store, APP, NOW - 10 * DAY) == 1
    await app.append([replace(MINE, item_id="i1", time=NOW - 5 * DAY)])


async def removal(app: LiveApp) -> None:
    """Of an item that is not in the slate, but may be named by it."""
    await patch_item(app.store, APP, EXCLUDED, {}, hidden=True)
    await app.follow()


async def rewording(app: LiveApp) -> None:
    await patch_item(app.store, APP, EXCLUDED, {"title": "Another"})
    await app.follow()


async def new_models(app: LiveApp) -> None:
    await train_app(app.recipe, app.store, app.artifacts, app.environment)
    assert await app.reload_models()


async def own_attributes(app: LiveApp) -> None:
    await patch_user(app.store, APP, "u", {"age": 31})
    await app.follow()


@pytest.mark.parametrize("feed", ["popular", "home"])
@pytest.mark.parametrize(
    "change", [own_event, one_event_for_another, removal, rewording, new_models, own_attributes]
)
async def test_a_slate_holds_no_more_once_what_it_was_made_of_changed(
    app: LiveApp, feed: str, change: Callable[[LiveApp], Awaitable[None]]
) -> None:
    request = asked(feed, exclude=(EXCLUDED,))
    shown, cursor = await first_page(app, request)
    await others_watch(app, range(60, 30, -1))
    kept, _ = await first_page(app, replace(request, cursor=cursor))
    assert kept != await anew(app, request, shown)
    await change(app)
    after, _ = await first_page(app, replace(request, cursor=cursor))
    assert after == await anew(app, request, shown)
    assert after != kept
    assert not set(after) & set(shown)


async def test_what_others_do_ends_no_slate(app: LiveApp) -> None:
    request = asked("home")
    shown, cursor = await first_page(app, request)
    await app.append([Event("v", "i3", "play", NOW, 3_000.0)])
    await patch_user(app.store, APP, "v", {"age": 31})
    await put_items(app.store, APP, [ItemWrite("new", {"title": "New"}, NOW)])
    await others_watch(app, range(60, 30, -1))
    kept, _ = await first_page(app, replace(request, cursor=cursor))
    assert kept != await anew(app, request, shown)


async def test_what_was_removed_is_not_shown_and_leaves_no_gap(app: LiveApp) -> None:
    whole, _ = await page(app, asked(n=15))
    _, cursor = await first_page(app, asked())
    await patch_item(app.store, APP, whole[6], {}, hidden=True)
    await app.follow()
    assert (await page(app, asked(cursor=cursor)))[0] == [item for item in whole[5:11] if item != whole[6]]


async def test_without_room_for_the_slate_pages_neither_repeat_nor_skip(store: Store, tmp_path: Path) -> None:
    await put_films(store, FILMS)
    app = await opened(store, tmp_path, slate_cache=1)
    await others_watch(app, range(30))
    pages: list[list[str]] = []
    cursor: str | None = None
    while cursor is not None or not pages:
        shown, following = await page(app, asked(cursor=cursor))
        await page(app, asked("fresh"))  # takes the room
        if cursor is not None:
            assert shown == await anew(app, asked(), list(chain(*pages)))
        pages.append(shown)
        cursor = following
        await others_watch(app, range(60 - len(pages), 30, -1))
    assert [len(shown) for shown in pages] == [5] * 16
    assert sorted(chain(*pages)) == sorted(f"i{n}" for n in range(FILMS))


OTHER_REQUESTS: dict[str, dict[str, Any]] = {
    "another user": {"user_id": "v"},
    "nobody": {"user_id": None},
    "another feed": {"feed": "fresh"},
    "a filter": {"conditions": (Condition("genre", ":", "g1"),)},
    "an exclusion": {"exclude": ("i70",)},
    "a context": {"context": {"query": "x"}},
    "an item": {"item_id": "i9"},
}


@pytest.mark.parametrize("feed", ["popular", "home"])
@pytest.mark.parametrize("other", OTHER_REQUESTS.values(), ids=OTHER_REQUESTS)
async def test_the_cursor_of_one_request_never_shows_its_slate_to_another(
    app: LiveApp, feed: str, other: dict[str, Any]
) -> None:
    mine = asked(feed)
    theirs = replace(mine, **other)
    shown, cursor = await first_page(app, mine)
    await others_watch(app, range(60, 30, -1))
    expected = await anew(app, theirs, shown)
    answer = await app.recommend(replace(theirs, cursor=cursor))
    assert [answer.catalog.item_id(position) for position in answer.slate.positions.tolist()] == expected
    kept, _ = await page(app, replace(mine, cursor=cursor))
    assert kept != await anew(app, mine, shown), "their request did not end the slate"
    if other.get("feed", feed) == feed:
        assert kept != expected


async def test_a_made_up_cursor_opens_nobodys_slate(app: LiveApp) -> None:
    shown, _ = await first_page(app, asked("home"))
    await others_watch(app, range(60, 30, -1))
    numbers = np.array([(await get_item(app.store, APP, item)).number for item in shown], np.int32)
    expected = await anew(app, asked("home", "v"), shown)
    for slate in range(20):
        made_up = cursors.encode(cursors.Cursor(slate, numbers, numbers))
        assert (await page(app, asked("home", "v", cursor=made_up)))[0] == expected


@pytest.mark.parametrize(("n", "sizes"), [(60, [60, 60, 60, 60, 20]), (50, [50, 50, 50, 50, 50, 10])])
async def test_after_its_slate_a_feed_goes_on_into_the_catalogue(
    store: Store, tmp_path: Path, n: int, sizes: list[int]
) -> None:
    await put_films(store, 260)
    app = await opened(store, tmp_path)
    await others_watch(app, range(30))
    for feed in ("popular", "home", "fresh"):
        pages: list[list[str]] = []
        cursor: str | None = None
        while cursor is not None or not pages:
            shown, cursor = await page(app, asked(feed, n=n, cursor=cursor))
            pages.append(shown)
        assert [len(shown) for shown in pages] == sizes
        assert len(set(chain(*pages))) == 260


RECIPE: dict[str, Any] = {
    "app": "rated",
    "items": {"fields": {"title": "text", "quality": "number"}},
    "events": {"like": {}},
    "feeds": {
        "home": {
            "filter": {"quality": {"min_value": 0.5}},
            "retrieve": {"popular": {}},
            "rank": {"weighted": {"weights": {"popular": 1.0}}},
        }
    },
}


async def test_a_slate_of_which_a_filter_now_stops_something_is_not_gone_on_with(
    store: Store, tmp_path: Path
) -> None:
    await put_items(store, "rated", [ItemWrite(f"i{n}", {"quality": 1.0}) for n in range(20)])
    app = LiveApp(parse_recipe(RECIPE, "a test"), store, ArtifactStore(tmp_path), Environment(lambda: NOW))
    await app.start()
    request = FeedRequest("home", n=4)
    shown, cursor = await first_page(app, request)
    later, _ = await page(app, replace(request, n=12))
    await patch_item(store, "rated", later[5], {"quality": 0.1})
    await app.append([Event("w", later[11], "like", NOW)])
    await app.refresh()
    after, _ = await page(app, replace(request, cursor=cursor))
    assert len(after) == 4
    assert after == await anew(app, request, shown)
    assert after[0] == later[11], "it is ranked anew"
