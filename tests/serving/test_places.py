"""Requests from a place: no answer for one is given for another, on any page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from homefeed.environment import Environment
from homefeed.errors import InvalidError
from homefeed.geo import Place
from homefeed.recipe import parse_recipe
from homefeed.serving import FeedRequest, LiveApp
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import put_users
from homefeed.types import SECOND

APP = "town"
NOW = 1_700_000_000 * SECOND
WEIGHTS = {"popular": 0.1, "proximity": 1.0}
BEST = {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}
NEAR = {"retrieve": {"popular": {}}, "features": {"distance": {}}, "rank": {"weighted": {"weights": WEIGHTS}}}
DECLARED: dict[str, Any] = {
    "app": APP,
    "items": {"fields": {"title": "text", "location": "location"}},
    "users": {"fields": {"home": "location", "silent": "category"}},
    "events": {"like": {}},
    "privacy": {"opt_out": "silent"},
    "parts": {"filter": {"seen": False}},
    "feeds": {
        "near": NEAR | {"shared_seconds": 60},
        "close": NEAR | {"filter": {"within_km": {"km": 150}}},
        "best": BEST,
    },
}
WEST, EAST = Place(0, 0), Place(0, 9)

# What is tested here is the same on every database.
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.fixture
async def app(store: Store, tmp_path: Path) -> LiveApp:
    """Ten items, i0 to i9, a degree (111 km) apart from west to east; one nowhere; users at both ends."""
    items = [ItemWrite(f"i{n}", {"title": f"I{n}", "location": Place(0, n).to_json()}) for n in range(10)]
    await put_items(store, APP, [*items, ItemWrite("none", {"title": "None"})])
    home: dict[str, Any] = {"home": EAST.to_json()}
    users: list[tuple[str, dict[str, Any]]] = [
        ("west", {"home": WEST.to_json()}),
        ("east", home),
        ("silent", {**home, "silent": "yes"}),
    ]
    await put_users(store, APP, users)
    live = LiveApp(parse_recipe(DECLARED, "a test"), store, ArtifactStore(tmp_path), Environment(lambda: NOW))
    await live.start()
    return live


async def page(app: LiveApp, feed: str = "near", n: int = 3, **more: Any) -> tuple[list[str], str | None]:
    answer = await app.recommend(FeedRequest(feed, n=n, **more))
    return [answer.catalog.item_id(position) for position in answer.slate.positions.tolist()], answer.next_cursor


async def items(app: LiveApp, feed: str = "near", n: int = 3, **more: Any) -> list[str]:
    return (await page(app, feed, n, **more))[0]


async def test_the_place_of_the_request_counts_and_else_that_of_the_user(app: LiveApp) -> None:
    assert await items(app, place=WEST) == ["i0", "i1", "i2"]
    assert await items(app, user_id="east") == ["i9", "i8", "i7"]
    assert await items(app, user_id="east", place=WEST) == ["i0", "i1", "i2"]
    # Asked again a moment later, each is answered as before.
    assert await items(app, user_id="east") == ["i9", "i8", "i7"]
    assert await items(app, user_id="west") == ["i0", "i1", "i2"]


async def test_a_filter_goes_by_it(app: LiveApp) -> None:
    assert await items(app, "close", place=WEST) == ["i0", "i1"]
    assert await items(app, "close", user_id="east") == ["i9", "i8"]
    assert len(await items(app, "close", n=20)) == 11


async def test_the_radius_holds_in_every_feed(app: LiveApp) -> None:
    assert sorted(await items(app, "best", n=20, user_id="west", radius_km=250)) == ["i0", "i1", "i2"]
    assert sorted(await items(app, "best", n=20, place=EAST, radius_km=1)) == ["i9"]
    assert sorted(await items(app, "best", n=20, user_id="west", radius_km=120)) == ["i0", "i1"]


async def test_pages_go_on_from_the_same_place(app: LiveApp) -> None:
    asked: dict[str, Any] = {"user_id": "west", "place": EAST, "radius_km": 600}
    first, cursor = await page(app, n=2, **asked)
    other = await items(app, n=2, user_id="west", place=WEST, radius_km=600, cursor=cursor)
    second, cursor = await page(app, n=2, cursor=cursor, **asked)
    third, cursor = await page(app, n=2, cursor=cursor, **asked)
    assert (first, second, third, cursor) == (["i9", "i8"], ["i7", "i6"], ["i5", "i4"], None)
    # With the cursor of one place another is asked anew.
    assert other == ["i0", "i1"]


async def test_what_is_shared_is_shared_at_a_place(app: LiveApp) -> None:
    async def together(**more: Any) -> list[str]:
        (answer,) = await app.recommend_together([FeedRequest("near", n=2, **more)])
        return [answer.catalog.item_id(position) for position in answer.slate.positions.tolist()]

    assert await together(place=WEST) == ["i0", "i1"]
    assert await together(place=EAST) == ["i9", "i8"]
    assert await together(place=EAST, radius_km=50) == ["i9"]
    assert await together(user_id="west") == ["i0", "i1"]
    assert await together(user_id="east") == ["i9", "i8"]


async def test_a_user_who_moves_is_elsewhere_at_once(app: LiveApp) -> None:
    assert await items(app, user_id="east") == ["i9", "i8", "i7"]
    await app.writes.patch_user("east", {"home": WEST.to_json()})
    assert await items(app, user_id="east") == ["i0", "i1", "i2"]


async def test_an_item_that_moves_is_elsewhere_at_once(app: LiveApp) -> None:
    assert await items(app, user_id="west", n=1) == ["i0"]
    await app.writes.patch_item("i0", {"location": Place(40, 0).to_json()})
    assert await items(app, user_id="west", n=1) == ["i1"]


async def test_where_a_user_is_who_opted_out_is_not_used_but_what_the_request_says_is(app: LiveApp) -> None:
    assert len(await items(app, "close", n=20, user_id="silent")) == 11
    assert await items(app, "close", user_id="silent", place=WEST) == ["i0", "i1"]
    with pytest.raises(
        InvalidError, match=r"^radius_km: around which place is not known; .* store the user's home$"
    ):
        await items(app, user_id="silent", radius_km=5)


@pytest.mark.parametrize("radius", [0, -1, 20_101, float("nan"), float("inf")])
async def test_a_radius_is_above_0_and_below_half_way_round(app: LiveApp, radius: float) -> None:
    with pytest.raises(InvalidError, match="radius_km: expected above 0 and at most 20,100"):
        await items(app, place=WEST, radius_km=radius)


async def test_a_trace_tells_how_far_it_is(app: LiveApp) -> None:
    trace = await app.explain(FeedRequest("close", place=WEST), "i5")
    assert trace.verdict == "Not shown: stopped by within_km (557 km away, farther than 150 km)"
