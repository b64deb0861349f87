"""The service as it would have been: what is known of the user, and what could not have been shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.evaluate.setting import Setting, WeekCounts, set_up
from homefeed.evaluate.split import Case
from homefeed.funnel import recommend
from homefeed.geo import Place
from homefeed.scope import RequestScope
from homefeed.testing import Play, World, make_world, toy_item, toy_world
from homefeed.testing.world import ITEMS, NOW, PLAYS, POPULAR, RECIPE
from homefeed.types import DAY, Interactions


def case(world: World, user_id: str, time: int = NOW) -> Case:
    """A request of a user of the world, with all they did as history."""
    users = list(dict.fromkeys(play.user_id for play in PLAYS))
    events = world.data.interactions
    rows = np.flatnonzero((events.users == users.index(user_id)) & (events.times <= time))
    nothing = np.empty(0, np.int64)
    return Case(users.index(user_id), rows, nothing.astype(np.int32), nothing, time)


def setting(world: World, days_ago: float = 0, repeats: bool = False) -> Setting:
    cutoff = NOW - int(days_ago * DAY)
    events = world.data.interactions
    return set_up(world.recipe, world.catalog, world.data, events.take(events.times < cutoff), cutoff, repeats)


def test_a_request_is_the_users_own() -> None:
    world = toy_world()
    query = setting(world).query(world.data, case(world, "so"), 7)
    assert (query.app, query.n, query.now, query.user.user_id) == ("toy", 7, NOW, "6")
    assert world.ids(query.user.history.items) == ("s1", "s2", "s3")
    assert query.user.history.strengths.tolist() == pytest.approx([1, 0.5, 0.75])
    assert world.ids(query.exclude) == ("s1", "s2", "s3")


def test_strengths_are_measured_by_what_was_typical_by_then() -> None:
    longer = [*PLAYS, Play("late", "s2", 7200, 1)]
    world = make_world(ITEMS, longer)
    now, then = (setting(world, days).query(world.data, case(world, "so"), 5) for days in (0, 5))
    assert now.user.history.strengths.tolist() == pytest.approx([1, 0.25, 0.75])
    assert then.user.history.strengths.tolist() == pytest.approx([1, 0.5, 0.75])


def shown(world: World, made: Setting, requested: Case, feed: str = "home") -> set[str]:
    """All that a feed shows, as far as it goes."""
    query = replace(made.query(world.data, requested, 50), feed=feed)
    return set(world.ids(recommend(made.feeds[feed], query).positions))


@pytest.mark.parametrize("feed", ["home", "popular"])
def test_what_came_later_is_shown_by_no_feed(feed: str) -> None:
    world = toy_world()
    of_all = set(POPULAR) - {"d1", "d2"}
    assert shown(world, setting(world, 5), case(world, "da"), feed) == of_all
    before = case(world, "da", NOW - 2 * DAY)
    assert shown(world, setting(world, 5), before, feed) == of_all - {"d4", "s4"}


def test_nor_where_another_feed_stands_in_for_a_stranger() -> None:
    world = toy_world()
    made, stranger = setting(world, 5), replace(case(world, "da", NOW - 2 * DAY), history=np.empty(0, np.int64))
    assert made.query(world.data, stranger, 5).user.is_cold
    assert shown(world, made, stranger) == set(POPULAR) - {"d4", "s4"}


def test_what_comes_at_the_very_moment_of_the_request_can_be_shown() -> None:
    world = toy_world()
    created = int(world.catalog.created[world.position("s4")])
    before, then = (shown(world, setting(world, 5), case(world, "da", created + late)) for late in (-1, 0))
    assert then - before == {"s4"}


def test_a_copy_to_come_does_not_hide_what_it_is_a_copy_of() -> None:
    text = "The lighthouse keeper counts the ships that pass by night and writes their names down"
    declared = {
        **RECIPE,
        "items": {**RECIPE["items"], "near_duplicates": {"fields": ["title"], "min_similarity": 0.6}},
        "feeds": {
            name: {**feed, "rerank": {"near_duplicates": {"events": []}}} for name, feed in RECIPE["feeds"].items()
        },
    }
    copies = [toy_item(12, "o1", 100, title=text), toy_item(13, "o2", 1, title=text)]
    world = make_world([*ITEMS, *copies], PLAYS, declared=declared)
    before = shown(world, setting(world, 5), case(world, "da", NOW - 2 * DAY))
    assert before & {"o1", "o2"} == {"o1"}
    assert len(shown(world, setting(world, 5), case(world, "da")) & {"o1", "o2"}) == 1


def test_with_repeats_the_history_is_left_in_and_what_came_later_is_not() -> None:
    world = make_world(ITEMS, PLAYS, declared={**RECIPE, "parts": {"filter": {"seen": False}}})
    requested = case(world, "da", NOW - 2 * DAY)
    discoveries, repeats = (setting(world, 5, again).query(world.data, requested, 5) for again in (False, True))
    assert world.ids(discoveries.exclude) == ("d1", "d2")
    assert world.ids(repeats.exclude) == ()
    assert world.ids(repeats.user.history.items) == ("d1", "d2")
    assert shown(world, setting(world, 5, repeats=True), requested, "popular") == set(POPULAR) - {"d4", "s4"}


def test_a_user_asks_from_where_they_are_known_to_be() -> None:
    users = {"fields": {"home": "location", "silent": "category"}}
    world = make_world(ITEMS, PLAYS, declared={**RECIPE, "users": users, "privacy": {"opt_out": "silent"}})
    asked = case(world, "da")
    for attributes, place in (
        ({"home": [48.85, 2.35]}, Place(48.85, 2.35)),
        ({"home": [1, 2], "silent": "y"}, None),
    ):
        known = replace(world.data, users=[attributes] * world.data.user_count)
        assert setting(world).query(known, asked, 5).place == place
    assert setting(world).query(world.data, asked, 5).place is None


def counted(week: WeekCounts) -> dict[int, int]:
    return {item: count for item, count in enumerate(week.counts.tolist()) if count}


def test_a_week_by_hand() -> None:
    # Items 1, 2 and 3 at days 0, 1, 1, 7, 8 and 9.
    days = [(1, 0.0), (2, 1.0), (1, 1.0), (3, 7.0), (2, 8.0), (3, 9.0)]
    events = Interactions(
        *(np.zeros(6, np.int32), np.array([item for item, _ in days], np.int32), np.zeros(6, np.int32)),
        *(np.ones(6, np.float32), np.ones(6, np.float32), np.array([day * DAY for _, day in days], np.int64)),
    )
    week, everything = WeekCounts(events, 5), np.ones(5, np.bool_)
    assert week.best(everything, 10).tolist() == [], "nothing has happened yet"
    for day, counts, best in (
        (1.0, {1: 1}, [1]),  # what happens at the moment comes after it
        (1.5, {1: 2, 2: 1}, [1, 2]),
        (7.0, {1: 2, 2: 1}, [1, 2]),  # seven days back, and no more
        (7.5, {1: 1, 2: 1, 3: 1}, [1, 3, 2]),  # of equals the most frequent ever, then the newest
        (8.5, {2: 1, 3: 1}, [2, 3, 1]),  # 2 twice ever; what was popular before goes on
        (9.5, {2: 1, 3: 2}, [3, 2, 1]),
        (40.0, {}, [3, 2, 1]),
    ):
        week.advance(int(day * DAY))
        assert counted(week) == counts, day
        assert week.best(everything, 10).tolist() == best, day
    assert week.best(everything, 2).tolist() == [3, 2]
    assert week.best(np.array([True, True, True, False, True]), 10).tolist() == [2, 1]
    assert week.best(everything, 2).dtype == np.int32


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30)), max_size=40), st.lists(st.integers(0, 40)))
def test_a_week_is_what_counting_finds_wherever_it_stops(rows: list[tuple[int, int]], stops: list[int]) -> None:
    rows.sort(key=lambda row: row[1])
    count = len(rows)
    events = Interactions(
        *(np.zeros(count, np.int32), np.array([item for item, _ in rows], np.int32), np.zeros(count, np.int32)),
        *(np.ones(count, np.float32), np.ones(count, np.float32)),
        np.array([day * DAY for _, day in rows], np.int64),
    )
    week = WeekCounts(events, 6)
    for stop in sorted(stops):
        week.advance(stop * DAY)
        assert counted(week) == Counter(item for item, day in rows if stop - 7 <= day < stop)
        assert set(week.best(np.ones(6, np.bool_), 9).tolist()) == {item for item, day in rows if day < stop}


@pytest.mark.parametrize(("opt_out", "refuses"), [(True, True), ("no", False), (None, False)])
def test_a_user_who_opts_out_is_a_stranger(opt_out: Any, refuses: bool) -> None:
    declared = {
        **RECIPE,
        "users": {"fields": {"opt_out": "category", "region": "category"}},
        "privacy": {"opt_out": "opt_out", "kept": ["opt_out"]},
    }
    world = make_world(ITEMS, PLAYS, declared=declared)
    data = replace(world.data, users=({"opt_out": opt_out, "region": "north"},) * world.data.user_count)
    query = setting(world).query(data, case(world, "da"), 5)
    assert query.user.opted_out is query.user.is_cold is refuses
    assert len(query.user.history) == (0 if refuses else 2)
    assert ("region" in query.user.attributes) is not refuses
    assert world.ids(query.exclude) == ("d1", "d2"), "the items of the history are left out for every user"


def test_a_filter_of_the_recipe_takes_the_place_of_none_of_the_evaluations() -> None:
    feeds = {**RECIPE["feeds"], "popular": {**RECIPE["feeds"]["popular"]}}
    feeds["popular"]["filter"] = {"arrived": {"part": "availability"}, "not_there_yet": {"part": "availability"}}
    later = toy_item(99, "later", -1, title="Of tomorrow")
    world = make_world([*ITEMS, later], PLAYS, declared={**RECIPE, "feeds": feeds})
    made = setting(world)
    query = replace(made.query(world.data, case(world, "so"), 50), feed="popular")
    assert world.position("later") not in recommend(made.feeds["popular"], query).positions
    tomorrow = replace(query, now=NOW + 2 * DAY, scope=RequestScope())
    assert world.position("later") in recommend(made.feeds["popular"], tomorrow).positions
