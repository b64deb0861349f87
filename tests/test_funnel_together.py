"""Feeds that answer together say what each says alone, and no part is asked twice for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import homefeed.apps.streaming
from homefeed.engine import build_feeds
from homefeed.funnel import Feed, rank, recommend, recommend_together
from homefeed.recipe import load_recipe
from homefeed.scope import RequestScope
from homefeed.testing import World, toy_world
from homefeed.testing.requests import toy_requests
from homefeed.types import DAY, NO_HISTORY, Query, Searches, Slate, UserState

RECIPE = load_recipe(Path(homefeed.apps.streaming.__file__).with_name("recipe.toml"))
UNANCHORED = ("home", "popular", "trending", "fresh")


class Counting:
    """A part that counts how often it is asked."""

    def __init__(self, part: Any, name: str, asked: Counter[str]) -> None:
        self._part, self._name, self._requests = part, name, asked

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if name not in ("retrieve", "filter"):
            return found

        def counted(*args: Any) -> Any:
            self._requests[self._name] += 1
            return found(*args)

        return counted


def counted_feeds(world: World) -> tuple[dict[str, Feed], Counter[str]]:
    """The feeds of streaming, a part that several share being one counter in all of them."""
    asked: Counter[str] = Counter()
    stand_ins: dict[int, Counting] = {}

    def counting(name: str, part: Any) -> Any:
        return stand_ins.setdefault(id(part), Counting(part, name, asked))

    feeds = {
        name: replace(
            feed,
            filters={part: counting(part, filter_) for part, filter_ in feed.filters.items()},
            retrievers={part: (counting(part, found), 64) for part, (found, _) in feed.retrievers.items()},
            cold_start=None,
        )
        for name, feed in build_feeds(RECIPE, world.resources).items()
    }
    return feeds, asked


def same(one: Slate, other: Slate) -> None:
    np.testing.assert_array_equal(one.positions, other.positions)
    np.testing.assert_array_equal(one.scores, other.scores)
    assert (one.reasons, one.sources, one.cold_start, one.remaining) == (
        other.reasons,
        other.sources,
        other.cold_start,
        other.remaining,
    )


def test_together_they_say_what_each_says_alone() -> None:
    world = toy_world()
    feeds = build_feeds(RECIPE, world.resources)
    for query in toy_requests(world).values():
        asked = [(feeds[name], replace(query, feed=name)) for name in UNANCHORED]
        for slate, (feed, alone) in zip(recommend_together(asked), asked, strict=True):
            same(slate, recommend(feed, alone))


def test_parts_of_equal_settings_are_one_object_in_all_feeds() -> None:
    feeds = build_feeds(RECIPE, toy_world().resources)
    popular = {id(feed.retrievers["popular"][0]) for feed in feeds.values()}
    assert len(popular) == 1
    assert len({id(feed.filters["availability"]) for feed in feeds.values()}) == 1


def test_no_part_is_asked_twice() -> None:
    world = toy_world()
    feeds, asked = counted_feeds(world)
    query = world.query("da", n=5)
    recommend_together([(feeds[name], replace(query, feed=name)) for name in UNANCHORED])
    # All four feeds filter alike, so that what one asked for serves the others.
    assert asked == {
        "availability": 1,
        "request": 1,
        "blocked": 1,
        "consumption_limit": 1,
        "duplicates": 1,
        "popular": 1,
        "trending": 1,
        "fresh": 1,
        "sequence": 1,
        "item_item": 1,
        "content": 1,
    }


def test_of_different_masks_each_is_asked_for_its_own() -> None:
    world = toy_world()
    feeds, asked = counted_feeds(world)
    query = world.query("da", n=5)
    filters = {name: part for name, part in feeds["popular"].filters.items() if name != "consumption_limit"}
    every = replace(feeds["popular"], filters=filters)
    first, second = recommend_together([(every, query), (feeds["popular"], query)])
    assert asked["popular"] == 2
    assert "d1" in world.ids(first.positions)
    assert "d1" not in world.ids(second.positions)


def lately(feed: Feed, days: float | None) -> Feed:
    return replace(feed, settings=feed.settings.model_copy(update={"history_days": days}))


@pytest.mark.parametrize(("days", "cold"), [(11, True), (13, False), (None, False)])
def test_what_was_long_ago_does_not_count(days: float | None, cold: bool) -> None:
    # dn played last 12 days ago.
    world = toy_world()
    feeds = build_feeds(RECIPE, world.resources)
    slate = recommend(lately(feeds["home"], days), world.query("dn"))
    assert slate.cold_start is cold
    if cold:
        same(
            replace(slate, cold_start=False),
            replace(recommend(feeds["popular"], world.query("dn")), cold_start=False),
        )


def test_feeds_that_look_back_differently_far_are_not_mixed_up() -> None:
    world = toy_world()
    home = build_feeds(RECIPE, world.resources)["home"]
    query = world.query("dn")
    alone = [recommend(lately(home, days), query) for days in (11, 13, 40)]
    together = recommend_together([(lately(home, days), query) for days in (11, 13, 40)])
    for one, other in zip(alone, together, strict=True):
        same(one, other)


def test_a_moment_of_the_past_counts_to_the_microsecond() -> None:
    world = toy_world()
    home = lately(build_feeds(RECIPE, world.resources)["home"], 12)
    query = world.query("dn")  # who played exactly 12 days ago
    assert not rank(home, query).cold_start
    assert rank(home, replace(query, now=query.now + 1, scope=RequestScope())).cold_start


def searching(query: Query, *days_ago: float) -> Query:
    times = np.array([query.now - int(days * DAY) for days in days_ago], np.int64)
    user = UserState("u", NO_HISTORY, searches=Searches(tuple(f"words {n}" for n in range(len(times))), times))
    return replace(query, user=user, scope=RequestScope())


@pytest.mark.parametrize(("days", "cold"), [(None, False), (3, False), (2, True)])
def test_who_only_searched_is_known_by_that(days: float | None, cold: bool) -> None:
    world = toy_world()
    home = lately(build_feeds(RECIPE, world.resources)["home"], days)
    assert rank(home, searching(world.query(), 9, 3)).cold_start is cold


def test_searches_since() -> None:
    searches = Searches(("a", "b", "c"), np.array([1, 5, 9], np.int64))
    assert searches.since(0) is searches
    assert searches.since(5).texts == ("b", "c")
    assert searches.since(6).times.tolist() == [9]
    assert len(searches.since(10)) == 0


def test_an_empty_composition_is_no_answer() -> None:
    assert recommend_together([]) == []
