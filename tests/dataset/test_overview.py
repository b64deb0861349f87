"""The overview: what was shown and what followed by day, feed, ranker and version, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from homefeed.dataset.measures import SCORE_BOUNDS, Measures, Series
from homefeed.dataset.overview import click_types, main_type, read_overview
from homefeed.errors import InvalidError
from homefeed.recipe import Recipe, parse_recipe
from homefeed.store import Store
from homefeed.store.events import append_events
from homefeed.store.users import put_users
from homefeed.types import DAY, Event

from .shown_log import START, Page, Told, at, write_log

NOON = START + DAY // 2
pytestmark = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def recipe_with(**changes: Any) -> Recipe:
    """A shop whose home feed gives new users the best instead; its values are seconds."""
    feed = {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}
    declared: dict[str, Any] = {
        "app": "shop",
        "items": {"fields": {"title": "text"}},
        "users": {"fields": {"refuses": "category"}},
        "events": {"click": {}, "buy": {}, "search": {"about": "query"}},
        "sources": {"events": {"columns": {"value": "dwell_seconds"}}},
        "feeds": {"home": {**feed, "cold_start": "best"}, "best": feed},
        **changes,
    }
    return parse_recipe(declared, "a test")


def rates(measures: Measures) -> tuple[Any, ...]:
    return measures.pages, measures.shown, measures.clicked, measures.followed["buy"]


def coverage(measures: Measures) -> tuple[int, ...]:
    return measures.open_users, measures.personal_users, measures.open_pages, measures.personal_pages


def named(series: tuple[Series, ...]) -> dict[tuple[str | None, ...], Series]:
    return {(one.group.feed, one.group.ranker or one.group.version): one for one in series}


async def test_what_followed_is_counted_by_feed_and_day(store: Store) -> None:
    pages = [
        Page(-1440, "ab", request="r0"),
        Page(0, "ab", request="r1"),
        Page(1, "ab", request="r2", reused=True),
        Page(2, "bc", request="r3", user=None),
        Page(3, "c", user="v", request="r4", feed="best"),
    ]
    events = [
        Told(-1439, "a"),
        Told(4, "b", request="r1"),
        Told(5, "b", request="r1"),
        Told(6, "b", request="r1", type="buy"),
        Told(7, "c", user="v"),
    ]
    await write_log(store, "shop", pages, events)
    found = await read_overview(store, recipe_with(), NOON, 7)
    assert (found.since, found.read_from, found.every) == (START - 6 * DAY, START - 6 * DAY, "day")
    assert (found.event_types, found.click_types) == (("click", "buy"), ("click",))
    assert [(one.group.feed, rates(one.total)) for one in found.feeds] == [
        ("home", (3, 6, 2, 1)),
        ("best", (1, 1, 1, 0)),
    ]
    home = found.feeds[0]
    assert [(one.start, rates(one.measures)) for one in home.periods] == [
        (START - DAY, (1, 2, 1, 0)),
        (START, (2, 4, 1, 1)),
    ]
    assert (home.first, home.last) == (at(-1440), at(2))
    assert home.total.distinct_items == 3
    assert found.total is not None
    assert rates(found.total.total) == (4, 7, 3, 1)
    assert found.total.total.users == 2
    assert (found.tally.by_request, found.tally.by_time, found.tally.to_none) == (3, 2, 0)


async def test_the_scores_shown_are_averaged_and_counted(store: Store) -> None:
    await write_log(store, "shop", [Page(0, "abc")], [])
    found = await read_overview(store, recipe_with(), NOON, 1)
    assert found.feeds[0].total.mean_score == pytest.approx(0.75)
    counts = dict(zip((*SCORE_BOUNDS, None), found.feeds[0].scores, strict=True))
    assert {bound: count for bound, count in counts.items() if count} == {1.0: 1, 0.8: 1, 0.5: 1}


async def test_who_had_an_answer_of_the_feed_itself_is_covered(store: Store) -> None:
    await write_log(store, "shop", [Page(0, "a"), Page(0, "a", user="v", request="q")], [])
    cold = [
        Page(1, "a", user="w", request="c1"),
        Page(2, "a", user=None, request="c2"),
        Page(3, "a", request="c3"),
    ]
    await write_log(store, "shop", cold, [], served_by="best/weighted")
    await write_log(store, "shop", [Page(4, "a", feed="best", request="b")], [], served_by="best/weighted")
    found = await read_overview(store, recipe_with(), NOON, 7)
    assert {one.group.feed: coverage(one.total) for one in found.feeds} == {
        "home": (3, 2, 5, 2),
        "best": (0, 0, 0, 0),
    }
    assert found.total is not None
    assert coverage(found.total.total) == (3, 2, 5, 2)


async def test_what_changed_is_told_with_its_time(store: Store) -> None:
    await write_log(store, "shop", [Page(0, "a", request="r0")], [], models={"signals": "v1", "als": "x1"})
    after = {"models": {"signals": "v2", "als": "x1"}, "served_by": "home/learned"}
    await write_log(store, "shop", [Page(1, "a", request="r1"), Page(2, "a", request="r2")], [], **after)
    found = await read_overview(store, recipe_with(), NOON, 7)
    changes = [(one.time, one.kind, one.feed, one.name, one.version) for one in found.changes]
    assert sorted(changes, key=str) == [
        (at(1), "model", None, "signals", "v2"),
        (at(1), "ranker", "home", "home/learned", None),
    ]
    assert {key: one.total.pages for key, one in named(found.rankers).items()} == {
        ("home", "home/weighted"): 1,
        ("home", "home/learned"): 2,
    }
    assert {key: one.total.pages for key, one in named(found.versions).items()} == {
        ("home", "v1"): 1,
        ("home", "v2"): 2,
        ("home", "x1"): 3,
    }


async def test_time_spent_is_that_of_the_context_or_else_the_value(store: Store) -> None:
    await write_log(store, "shop", [Page(0, "ab", request="r1")], [])
    told: list[tuple[str, float | None, dict[str, Any]]] = [
        ("a", 30.0, {}),
        ("a", 99.0, {"time_spent_seconds": 5}),
        ("b", None, {"time_spent_seconds": "long"}),
    ]
    events = [
        Event("u", item, "click", at(n + 1), value, request_id="r1", context=context)
        for n, (item, value, context) in enumerate(told)
    ]
    await append_events(store, "shop", events, at(5))
    found = await read_overview(store, recipe_with(), NOON, 7)
    assert found.feeds[0].total.time_spent_seconds == 35
    of_numbers = {"events": {"columns": {"value": "stars"}}}
    found = await read_overview(store, recipe_with(sources=of_numbers), NOON, 7)
    assert found.feeds[0].total.time_spent_seconds == 5


async def test_users_who_opted_out_stay_out(store: Store) -> None:
    pages = [
        Page(0, "a", request="r1"),
        Page(0, "a", user="v", request="r2"),
        Page(0, "b", user=None, request="r3"),
    ]
    events = [Told(1, "a"), Told(1, "a", user="v"), Told(1, "b", user="v", request="r3")]
    await write_log(store, "shop", pages, events)
    recipe = recipe_with(privacy={"opt_out": "refuses"})
    assert rates((await read_overview(store, recipe, NOON, 7)).feeds[0].total) == (3, 3, 3, 0)
    await put_users(store, "shop", [("v", {"refuses": "yes"}), ("u", {"refuses": "no"})])
    assert rates((await read_overview(store, recipe, NOON, 7)).feeds[0].total) == (2, 2, 1, 0)


async def test_of_too_many_pages_the_latest_are_read(store: Store) -> None:
    pages = [Page(minute, "a", request=f"r{minute}") for minute in range(5)]
    await write_log(store, "shop", pages, [Told(0.5, "a"), Told(3.5, "a")])
    found = await read_overview(store, recipe_with(), NOON, 1, most=2)
    assert (found.read_from, found.every) == (at(2) + 1, "hour")
    assert [rates(one.measures) for one in found.feeds[0].periods] == [(2, 2, 1, 0)]
    assert found.feeds[0].periods[0].start == START


async def test_nothing_shown_is_an_overview_of_nothing(store: Store) -> None:
    found = await read_overview(store, recipe_with(), NOON, 7)
    assert (found.total, found.feeds, found.versions, found.changes) == (None, (), (), ())
    with pytest.raises(InvalidError, match="days: expected 1 to 90, got 91"):
        await read_overview(store, recipe_with(), NOON, 91)


async def test_a_click_is_an_event_of_that_name_or_else_of_the_goal(store: Store) -> None:
    assert click_types(recipe_with(events={"view": {}, "product_click": {}, "buy": {}})) == ("product_click",)
    assert click_types(recipe_with(events={"play": {}, "dislike": {"weight": -1}})) == ("play",)


async def test_what_the_app_is_for_is_the_strongest_event_of_its_goal(store: Store) -> None:
    strong: dict[str, Any] = {"view": {"weight": 0.2}, "apply": {"weight": 10}, "hide": {"weight": -20}}
    assert main_type(recipe_with(events=strong)) == "apply"
    assert main_type(recipe_with(events=strong, goal={"events": ["view"]})) == "view"
    assert main_type(recipe_with(events={"hide": {"weight": -1}})) is None


async def test_what_followed_is_counted_by_who_proposed_it(store: Store) -> None:
    feed = {"retrieve": {"popular": {}, "fresh": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}
    recipe = recipe_with(feeds={"home": feed, "best": feed})
    by_item = np.array([[0.5, 1, 9], [0, 0.1, 9], [0.2, 0, 9]], np.float32)
    told: dict[str, Any] = {"feature_names": ("popular", "fresh", "age"), "features": by_item}
    pages = [Page(0, "abc", request="r1"), Page(1, "abc", user="v", request="r2", feed="best")]
    await write_log(store, "shop", pages, [Told(1, "a"), Told(1, "c"), Told(2, "c", user="v")], **told)
    await write_log(store, "shop", [Page(3, "a", request="old")], [])
    found = await read_overview(store, recipe, NOON, 7)
    assert [
        (one.feed, one.retriever, one.rates.shown, one.alone, one.rates.clicked) for one in found.proposed
    ] == [
        (None, "popular", 4, 2, 3),
        (None, "fresh", 4, 2, 1),
        ("best", "popular", 2, 1, 1),
        ("best", "fresh", 2, 1, 0),
        ("home", "popular", 2, 1, 2),
        ("home", "fresh", 2, 1, 1),
    ]
    assert found.proposed[0].rates.click_interval is not None
    assert found.proposed[2].rates.click_interval is None


async def test_users_are_new_on_the_day_of_their_first_event_or_page(store: Store) -> None:
    pages = [
        Page(-1500, "a", request="r0"),
        Page(0, "ab", request="r1"),
        Page(1, "abc", user="v", request="r2"),
        Page(2, "abcd", user="w", request="r3"),
        Page(3, "abcde", user=None, request="r4"),
        Page(1441, "a", user="v", request="r5"),
    ]
    await write_log(store, "shop", pages, [Told(-9999, "b", user="w"), Told(2, "c", user="v")])
    found = await read_overview(store, recipe_with(), NOON + DAY, 2)
    by_visit = {one.group.visit: one.total for one in found.visits if one.group.feed is None}
    assert {visit: (one.shown, one.clicked, one.users) for visit, one in by_visit.items()} == {
        "new": (3, 1, 1),
        "returning": (7, 0, 3),
        "not known": (5, 0, 0),
    }


async def test_what_is_shown_of_the_catalogue_is_told(store: Store) -> None:
    await write_log(store, "shop", [Page(0, "ab")], [Told(1, "c")])
    found = await read_overview(store, recipe_with(), NOON, 7)
    assert found.total is not None
    assert (found.total.total.distinct_items, found.catalogue_items) == (2, 3)
