"""What was shown, read without what it took to make it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pytest

from homefeed.store import Store, shown
from homefeed.store.impressions import Impression, stream_impressions, write_impressions
from homefeed.store.shown import Extent, extent_of_shown, first_starts, shown_by_requests, stream_shown
from homefeed.store.tables import impressions
from homefeed.store.users import put_users

APP = "shop"
DAMAGES: Final[list[dict[str, Any]]] = [
    {"items": b"abc"},
    {"scores": b"ab"},
    {"scores": b"abcd"},
    {"propensities": b"abcd"},
    {"items": b""},
    {"feature_names": ""},
    {"models": "{bad"},
    {"start": -5},
]


def page(request_id: str, time: int, items: list[int], start: int = 0, user: int | None = 1) -> Impression:
    ones = np.ones(len(items), np.float32)
    numbers = np.array(items, np.int32)
    features = np.stack([ones, ones], axis=1)
    return Impression(
        request_id, "home", user, time, start, numbers, ones, ones, ("a", "b"), features, {}, reused=time > 3
    )


@pytest.fixture(autouse=True)
async def _filled(store: Store) -> None:
    await put_users(store, APP, [("u", {})])
    pages = [
        page("r", 2, [3, 1]),
        page("q", 1, [2], user=None),
        page("r", 3, [5], start=2),
        page("s", 4, [7, 8, 9]),
    ]
    await write_impressions(store, APP, pages)
    await write_impressions(store, "other", [page("r", 2, [9])])


async def test_pages_of_a_period_come_in_the_order_of_time(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown, "_PAGE", 2)
    first, last = [pages async for pages in stream_shown(store, APP, 1, 4)]
    assert (list(first.request_ids), list(last.request_ids)) == (["q", "r"], ["r"])
    assert list(first.feeds) == ["home", "home"]
    assert list(first.feature_names) == ["a,b", "a,b"]
    assert first.times.tolist() == [1, 2]
    assert first.users.tolist() == [shown.NOBODY, 1]
    assert first.sizes.tolist() == [1, 2]
    assert first.items.tolist() == [2, 3, 1]
    assert (last.starts.tolist(), last.reused.tolist()) == ([2], [False])


async def test_pages_of_requests_but_not_of_one_that_names_too_many(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [pages async for pages in shown_by_requests(store, APP, ["r", "s", "nobody's"])]
    assert sorted(name for pages in found for name in pages.request_ids) == ["r", "r", "s"]
    monkeypatch.setattr(shown, "MOST_PAGES", 1)
    found = [pages async for pages in shown_by_requests(store, APP, ["r", "s"])]
    assert [name for pages in found for name in pages.request_ids] == ["s"]
    assert [pages async for pages in shown_by_requests(store, APP, ["r"])] == []


async def test_how_much_there_is(store: Store) -> None:
    assert await extent_of_shown(store, APP, 0, 4) == Extent(3, 1, 3)
    assert await extent_of_shown(store, APP, 5, 9) == Extent(0, 0, 0)


async def test_where_the_first_page_of_a_request_begins(store: Store) -> None:
    found = await first_starts(store, APP, ["r", "q", "nobody's"])
    assert found == {("r", "home", 1): 0, ("q", "home", shown.NOBODY): 0}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_page_is_passed_over_and_stops_no_other(store: Store, damage: dict[str, Any]) -> None:
    async with store.write() as connection:
        one = impressions.c.request_id == "s"
        await connection.execute(impressions.update().where(one, impressions.c.app == APP).values(**damage))
    found = [each.request_id async for group in stream_impressions(store, APP, 0, 10) for each in group]
    assert found == ["q", "r", "r"]
    assert {name async for pages in stream_shown(store, APP, 0, 10) for name in pages.request_ids} >= {"q", "r"}


async def test_of_damaged_pages_alone_there_is_no_group(store: Store) -> None:
    async with store.write() as connection:
        await connection.execute(impressions.update().values(start=-1))
    assert [group async for group in stream_impressions(store, APP, 0, 10)] == []
    assert [pages async for pages in stream_shown(store, APP, 0, 10)] == []
