"""Nobody is recommended what they made themselves."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.engine import build_feeds
from homefeed.errors import RecipeError
from homefeed.funnel import recommend
from homefeed.policy.own import Own
from homefeed.protocols import Filter, FilterExplainer
from homefeed.recipe import parse_recipe
from homefeed.testing import FilterContract, World, make_world, toy_world
from homefeed.testing.world import RECIPE
from homefeed.tracing import explain
from homefeed.types import Item

POPULAR = {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}
POSTS = {
    "app": "posts",
    "items": {"fields": {"title": "text", "author": "category"}, "creator": "author"},
    "events": RECIPE["events"],
    "feeds": {"home": POPULAR, "mine": {**POPULAR, "filter": {"own": False}}},
}
AUTHORS = ["ann", "Ann", "bob", None]
ITEMS = [Item(f"p{n}", 3 + n, {"title": f"Post {n}", "author": author}, None) for n, author in enumerate(AUTHORS)]
WORLD = make_world(ITEMS, [], declared=POSTS)
FEEDS = build_feeds(WORLD.recipe, WORLD.resources)


def shown(user_id: str | None, feed: str = "home") -> set[str]:
    return set(WORLD.ids(recommend(FEEDS[feed], WORLD.query(user_id)).positions))


class TestOwn(FilterContract):
    def make(self, world: World) -> Filter:
        return Own(Own.Config(field="content_type"), world.resources)


def test_a_feed_leaves_out_the_users_own_where_the_recipe_names_creators() -> None:
    assert shown("ann") == {"p1", "p2", "p3"}, "ids differ by their letter case"
    assert shown("bob") == {"p0", "p1", "p3"}
    assert shown("cleo") == shown(None) == {"p0", "p1", "p2", "p3"}


def test_a_recipe_may_say_otherwise() -> None:
    assert shown("ann", "mine") == {"p0", "p1", "p2", "p3"}
    everywhere = parse_recipe({**POSTS, "parts": {"filter": {"own": False}}}, "a test")
    assert [spec.name for spec in everywhere.feeds["home"].filter] == ["blocked", "seen"]


def test_why_tells_whose_it_is() -> None:
    trace = explain(FEEDS["home"], WORLD.query("bob"), WORLD.position("p2"))
    assert trace.verdict == "Not shown: stopped by own (the user's own: author is the user's id)"


def test_it_concerns_those_who_made_something() -> None:
    part = FEEDS["home"].filters["own"]
    assert isinstance(part, Own)
    assert isinstance(part, FilterExplainer)
    assert [part.concerns(WORLD.query(user)) for user in ("ann", "cleo", None)] == [True, False, False]


def test_a_post_of_a_moment_ago_is_left_out_at_once() -> None:
    world = make_world(ITEMS, [], declared=POSTS)
    home = build_feeds(world.recipe, world.resources)["home"]
    world.catalog.apply([Item("p9", 90, {"title": "Post 9", "author": "cleo"}, None)])
    assert "p9" not in world.ids(recommend(home, world.query("cleo")).positions)
    assert "p9" in world.ids(recommend(home, world.query("ann")).positions)


@pytest.mark.parametrize("creator", ["title", "writer"])
def test_creators_are_a_category(creator: str) -> None:
    with pytest.raises(RecipeError, match=f'items: creator names "{creator}"'):
        parse_recipe({**POSTS, "items": {"fields": {"title": "text"}, "creator": creator}}, "a test")


def test_without_creators_there_is_no_own() -> None:
    assert "own" not in build_feeds(toy_world().recipe, toy_world().resources)["home"].filters
    assert np.all(Own(Own.Config(field="author"), WORLD.resources).filter(WORLD.query("zoe")))
