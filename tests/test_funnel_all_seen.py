"""Who has seen everything is told so, and offered what they saw longest ago where the recipe allows it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from homefeed.engine import build_feeds
from homefeed.funnel import Feed, page, rank, recommend
from homefeed.scope import RequestScope
from homefeed.testing import Play, World, make_world, toy_item
from homefeed.testing.world import RECIPE
from homefeed.types import Condition

POPULAR = {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}
DECLARED: dict[str, Any] = {
    **RECIPE,
    "events": {"play": {"full": 100}, "dislike": {"weight": -1}},
    "feeds": {
        "home": POPULAR,
        "again": {**POPULAR, "repeats_when_all_seen": True},
        "limited": {**POPULAR, "filter": {"seen": False, "consumption_limit": {"value": 50}}},
    },
}
PLAYS = [
    *(Play("all", f"i{n}", 100, days) for n, days in enumerate((3, 9, 1, 5))),
    Play("all", "i0", 100, 8),
    Play("all", "i4", 0, 2, "dislike"),
    Play("some", "i0", 100, 3),
    Play("hater", "i0", 0, 3, "dislike"),
]


@pytest.fixture(scope="module")
def world() -> World:
    genres = ["Drama", "Drama", "Comedy", "Comedy", "Drama"]
    return make_world(
        [toy_item(n, f"i{n}", 9, title=f"T{n}", genre=[genre]) for n, genre in enumerate(genres)],
        PLAYS,
        declared=DECLARED,
    )


@pytest.fixture(scope="module")
def feeds(world: World) -> dict[str, Feed]:
    return build_feeds(world.recipe, world.resources)


@pytest.mark.parametrize("name", ["home", "limited"])
def test_an_empty_page_says_why(world: World, feeds: dict[str, Feed], name: str) -> None:
    slate = recommend(feeds[name], world.query("all"))
    assert (len(slate), slate.all_seen, slate.cold_start) == (0, True, False)


def test_who_has_not_seen_all_is_not_told_so(world: World, feeds: dict[str, Feed]) -> None:
    for user in ("some", "cold", None):
        assert not recommend(feeds["home"], world.query(user)).all_seen
    nothing = recommend(feeds["home"], world.query("all", conditions=(Condition("genre", ":", "War"),)))
    assert (len(nothing), nothing.all_seen) == (0, False), "there is none to be seen"
    disliked = world.query("hater", conditions=(Condition("title", ":", "T0"),))
    assert not recommend(feeds["home"], disliked).all_seen, "what is disliked is not seen"


def test_what_was_seen_longest_ago_comes_first(world: World, feeds: dict[str, Feed]) -> None:
    slate = recommend(feeds["again"], world.query("all"))
    assert world.ids(slate.positions) == ("i1", "i3", "i0", "i2"), "by the latest time, and none that is disliked"
    assert slate.all_seen
    assert set(slate.reasons) == {"Seen before: there is nothing new for you here"}
    assert all(slate.sources)
    dramas = recommend(feeds["again"], world.query("all", conditions=(Condition("genre", ":", "Drama"),)))
    assert world.ids(dramas.positions) == ("i1", "i0")


def test_where_there_is_something_new_there_are_no_repeats(world: World, feeds: dict[str, Feed]) -> None:
    slate = recommend(feeds["again"], world.query("some"))
    assert "i0" not in world.ids(slate.positions)
    assert not slate.all_seen


def test_its_pages_go_on_through_what_was_ranked(world: World, feeds: dict[str, Feed]) -> None:
    query = world.query("all", n=2)
    ranked = rank(feeds["again"], query)
    first = page(ranked, query)
    shown = tuple(world.ids(first.positions))
    second = page(ranked, replace(query, exclude=world.positions(*shown), scope=RequestScope()))
    assert (*shown, *world.ids(second.positions)) == ("i1", "i3", "i0", "i2")
