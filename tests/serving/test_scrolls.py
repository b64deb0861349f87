"""Pages by their place: stable while the user scrolls, whatever arrives, is hidden, blocked or asked for again."""

from __future__ import annotations

import random
from itertools import chain
from pathlib import Path

import numpy as np
import pytest

from homefeed.apps import find_recipe
from homefeed.environment import Environment
from homefeed.serving import FeedRequest, LiveApp
from homefeed.serving.cursor import MOST_SHOWN
from homefeed.serving.scrolls import MAX_SLATE_SECONDS, Scroll, Scrolls
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.items import ItemWrite, put_items
from homefeed.types import DAY, SECOND, Event

APP = "streaming"
NOW = 1_700_000_000 * SECOND

# What is tested here is the same on every database.
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


async def put_films(store: Store, *numbers: int) -> None:
    films = [ItemWrite(f"i{n}", {"title": f"Film {n}", "genre": ["Even"]}, NOW - n % 40 * DAY) for n in numbers]
    await put_items(store, APP, films)


async def opened(store: Store, folder: Path, clock: Clock | None = None) -> LiveApp:
    app = LiveApp(find_recipe(APP), store, ArtifactStore(folder), Environment(clock or Clock()))
    await app.start()
    return app


async def page(app: LiveApp, offset: int, n: int, user_id: str = "u", **context: str) -> list[str]:
    answer = await app.recommend_at(FeedRequest("home", user_id, n, context=context), offset)
    assert answer.start == offset
    return [answer.catalog.item_id(position) for position in answer.slate.positions.tolist()]


async def test_pages_are_the_long_answer_cut(store: Store, tmp_path: Path) -> None:
    await put_films(store, *range(40))
    app = await opened(store, tmp_path)
    whole = await page(app, 0, 40, "v")
    assert list(chain(*[await page(app, offset, 7) for offset in range(0, 42, 7)])) == whole
    assert await page(app, 40, 7) == []
    assert await page(app, 35, 7) == whole[35:]
    # Without the pages before it a page is cut from the same list, too.
    assert await page(app, 20, 5, "w") == whole[20:25]
    assert await page(app, 25, 5, "w") == whole[25:30]


async def test_what_arrives_meanwhile_moves_no_page(store: Store, tmp_path: Path) -> None:
    await put_films(store, *range(30))
    app = await opened(store, tmp_path)
    first = await page(app, 0, 10)
    whole = await page(app, 0, 30, "v")
    assert first == whole[:10]
    await put_films(store, *range(100, 110))
    await app.append([Event(f"x{n}", whole[25], "play", NOW, 3_600.0) for n in range(9)])
    await app.append([Event("u", whole[3], "play", NOW, 9.0)])
    await app.refresh()
    assert await page(app, 10, 10) == whole[10:20]
    assert await page(app, 0, 10, "w") != whole[:10]


async def test_a_gap_is_filled_from_below_without_a_skip(store: Store, tmp_path: Path) -> None:
    await put_films(store, *range(30))
    app = await opened(store, tmp_path)
    whole = await page(app, 0, 30, "v")
    assert await page(app, 0, 10) == whole[:10]
    for gone in (whole[2], whole[12], whole[13]):
        await app.writes.patch_item(gone, {}, hidden=True)
    assert await page(app, 10, 10) == [*whole[10:12], *whole[14:22]]
    # The page before once more: what was hidden has left, and what fills its place no later page repeats.
    assert await page(app, 0, 3, "z") != whole[:3]
    assert await page(app, 20, 8) == whole[22:30]


async def test_a_page_asked_for_again_is_the_same(store: Store, tmp_path: Path) -> None:
    await put_films(store, *range(40))
    app = await opened(store, tmp_path)
    pages = [await page(app, offset, 10) for offset in (0, 10, 20)]
    await app.append([Event("x", pages[2][4], "play", NOW, 3_600.0)])
    await app.refresh()
    assert await page(app, 10, 10) == pages[1]
    assert await page(app, 20, 10) == pages[2]
    await app.writes.patch_item(pages[1][0], {}, hidden=True)
    again = await page(app, 10, 10)
    assert again[:9] == pages[1][1:]
    assert again[9] not in set(chain(*pages))
    assert not set(again) & set(await page(app, 30, 10))


async def test_an_old_slate_is_chosen_anew_without_a_repeat(store: Store, tmp_path: Path) -> None:
    await put_films(store, *range(30))
    clock = Clock()
    app = await opened(store, tmp_path, clock)
    shown = await page(app, 0, 10)
    clock.now += (MAX_SLATE_SECONDS + 1) * SECOND
    await app.append([Event(f"x{n}", f"i{n % 30}", "play", clock.now, 3_600.0) for n in range(60)])
    await app.refresh()
    rest = list(chain(*[await page(app, offset, 10) for offset in (10, 20)]))
    assert sorted(shown + rest) == sorted(f"i{n}" for n in range(30))


async def test_requests_that_differ_scroll_apart(store: Store, tmp_path: Path) -> None:
    await put_films(store, *range(20))
    app = await opened(store, tmp_path)
    first = await page(app, 0, 5)
    other = await page(app, 0, 5, hour="9")
    assert first == other
    assert await page(app, 5, 5) == await page(app, 5, 5, hour="9")
    assert not set(first) & set(await page(app, 5, 5))


@pytest.mark.parametrize("seed", range(8))
async def test_no_walk_repeats_or_skips(store: Store, tmp_path: Path, seed: int) -> None:
    """Scroll, with other limits, while listings come, go and are met: what stayed is shown once."""
    draw = random.Random(seed)
    await put_films(store, *range(40))
    clock = Clock()
    app = await opened(store, tmp_path, clock)
    shown: list[str] = []
    hidden: set[str] = set()
    while True:
        found = await page(app, len(shown), draw.choice([1, 3, 8]))
        if not found:
            break
        assert not set(found) & hidden
        shown += found
        for _ in range(draw.randrange(3)):
            match draw.randrange(4):
                case 0:
                    gone = f"i{draw.randrange(40)}"
                    hidden.add(gone)
                    await app.writes.patch_item(gone, {}, hidden=True)
                case 1:
                    await put_films(store, draw.randrange(100, 200))
                    await app.follower.follow()
                case 2:
                    user_id = draw.choice(["u", "x", "y"])
                    await app.append([Event(user_id, f"i{draw.randrange(40)}", "play", clock.now, 9.0)])
                    await app.refresh()
                case 3:
                    clock.now += draw.choice([1, 400]) * SECOND
    assert len(shown) == len(set(shown))
    assert set(shown) | hidden >= {f"i{n}" for n in range(40)}


async def test_a_scroll_ends(store: Store, tmp_path: Path) -> None:
    await put_films(store, *range(MOST_SHOWN + 20))
    app = await opened(store, tmp_path)
    assert len(await page(app, MOST_SHOWN - 5, 10)) == 5
    assert await page(app, MOST_SHOWN, 10) == []
    assert await page(app, 100 * MOST_SHOWN, 10) == []


def test_the_scroll_that_waited_longest_goes_first(store_url: str) -> None:
    scrolls = Scrolls(2)
    for name in ("a", "b"):
        scrolls.keep(name, Scroll(shown=np.array([1], np.int32)))
    scrolls.find("a")
    scrolls.keep("c", Scroll())
    assert [len(scrolls.find(name).shown) for name in ("a", "b")] == [1, 0]
