"""The systems side by side: which there are, and that each is what it says, request by request."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.engine import build_feeds
from homefeed.errors import InvalidError, NotFoundError
from homefeed.evaluate import systems as module
from homefeed.evaluate.setting import WeekCounts
from homefeed.evaluate.systems import DEEP, WEEK_POPULAR, System, build_systems, interleaved, run_systems
from homefeed.funnel import Feed, rank, recommend
from homefeed.recipe import Recipe, parse_recipe
from homefeed.testing import World, toy_world
from homefeed.testing.world import RECIPE
from homefeed.types import Positions, Query, Scores, UserState


def recipe(**feeds: Any) -> Recipe:
    """The toy recipe with these feeds beside its own."""
    return parse_recipe({**RECIPE, "feeds": {**RECIPE["feeds"], **feeds}}, "a test")


def feed(*retrievers: str, **more: Any) -> dict[str, Any]:
    weights = dict.fromkeys(retrievers, 1.0)
    return {"retrieve": {name: {} for name in retrievers}, "rank": {"weighted": {"weights": weights}}, **more}


def names(declared: Recipe, *feeds: str, baseline: str = "popular") -> list[str]:
    return [system.name for system in build_systems(declared, feeds, baseline)]


def week_of(world: World) -> WeekCounts:
    week = WeekCounts(world.data.interactions, world.catalog.size)
    week.advance(world.query().now)
    return week


def lists_of(world: World, systems: tuple[System, ...], query: Query) -> dict[str, tuple[str, ...]]:
    answers = run_systems(build_feeds(world.recipe, world.resources), week_of(world), systems, query)
    assert answers.failed == {}
    return {name: world.ids(positions) for name, positions in answers.lists.items()}


def unfiltered(world: World, user_id: str, **more: Any) -> Query:
    """A request as it arrives: what may be shown is yet to be found out."""
    return replace(world.query(user_id, **more), eligible=np.empty(0, bool), explainable=np.empty(0, bool))


CAPS = {"field": "content_type", "max_items": 1, "window": 3}
OPEN = {"filter": {"seen": False, "blocked": False}}
CAPPED = feed("item_item", "content", "popular", rerank={"caps": CAPS}, **OPEN)


def test_a_feed_is_taken_apart_in_the_order_of_its_making() -> None:
    systems = build_systems(recipe(capped=CAPPED), ["capped"], "popular")
    assert [(system.name, system.role, system.retriever) for system in systems] == [
        ("popular", "baseline", None),
        ("popular, 7 days", "week", None),
        ("item_item", "retriever", "item_item"),
        ("content", "retriever", "content"),
        ("capped: merged", "merged", None),
        ("capped: ranked", "ranked", None),
        ("capped", "feed", None),
    ]
    assert [system.feed for system in systems] == ["popular", "popular", *["capped"] * 5]


def test_what_would_be_the_same_line_twice_is_one() -> None:
    declared = recipe(one=feed("item_item"), two=feed("item_item", "fresh"), plain=feed("popular"))
    shared = ["popular", WEEK_POPULAR]
    assert names(declared, "one") == [*shared, "item_item", "one"], "nothing to merge, nothing reranked"
    assert names(declared, "one", "two") == [*shared, "item_item", "one", "fresh", "two: merged", "two"]
    assert names(declared, "one", "one") == [*shared, "item_item", "one"]
    assert names(declared, "plain") == [*shared, "plain"], "the baseline is that retriever"
    assert names(declared, "popular") == shared


def test_a_retriever_is_a_part_of_every_feed_that_has_it() -> None:
    other = feed("fresh", "popular")
    other["retrieve"]["fresh"] = {"max_age_days": 3}
    declared = recipe(one=feed("item_item", "fresh"), two=feed("item_item"), three=other)
    systems = build_systems(declared, ["one", "two", "three"], "popular")
    parts = {system.name: system.feeds for system in systems if system.role == "retriever"}
    assert parts == {
        "item_item": ("one", "two"),
        "fresh": ("one",),
        "fresh (retriever)": ("three",),
    }, "set up otherwise it is another"
    [shared] = (system for system in systems if system.name == "item_item")
    assert shared.feed == "one"


def test_a_retriever_set_up_otherwise_is_another_system() -> None:
    other = feed("fresh", "popular")
    other["retrieve"]["fresh"] = {"max_age_days": 3}
    declared = recipe(a=feed("fresh", "item_item"), b=other, fresh=feed("fresh", "popular"))
    assert names(declared, "a", "b") == [
        *("popular", WEEK_POPULAR, "fresh", "item_item", "a: merged", "a"),
        *("fresh (retriever)", "b: merged", "b"),
    ]
    assert names(declared, "fresh", "b") == [
        *("popular", WEEK_POPULAR, "fresh (retriever)", "fresh: merged", "fresh"),
        *("b: fresh (retriever)", "b: merged", "b"),
    ]


def test_what_a_feed_for_cold_starts_reranks_counts() -> None:
    declared = recipe(capped=CAPPED, warm=feed("item_item", cold_start="capped"))
    assert names(declared, "warm") == ["popular", WEEK_POPULAR, "item_item", "warm: ranked", "warm"]


def test_feeds_that_cannot_be_judged_are_refused() -> None:
    declared = recipe(like=feed("item_item", anchored=True))
    with pytest.raises(NotFoundError, match='no feed "hme" in toy; there are: popular, home, like'):
        build_systems(declared, ["home", "hme"], "popular")
    with pytest.raises(InvalidError, match="the feed like is about an item"):
        build_systems(declared, ["home"], "like")


@pytest.fixture
def world() -> World:
    """The toy world, its recipe with a feed that shows no more than one of a kind in three."""
    return replace(toy_world(), recipe=recipe(capped=CAPPED, popular=feed("popular", **OPEN)))


@pytest.mark.parametrize("user_id", ["da", "so", "mi", "cold"])
def test_every_system_answers_as_it_would_alone(world: World, user_id: str) -> None:
    systems = build_systems(world.recipe, ["capped"], "popular")
    query = unfiltered(world, user_id)
    feeds = build_feeds(world.recipe, world.resources)
    lists = lists_of(world, systems, query)
    assert list(lists) == [system.name for system in systems]
    for name in ("popular", "capped"):
        served = recommend(feeds[name], replace(query, feed=name, n=DEEP))
        assert lists[name] == world.ids(served.positions)
    eligible = world.query(user_id)
    assert lists[WEEK_POPULAR] == world.ids(week_of(world).best(eligible.eligible, DEEP))
    for name in ("item_item", "content"):
        assert lists[name] == world.ids(feeds["capped"].retrievers[name][0].retrieve(eligible, DEEP)[0])
    of_all = [world.positions(*lists[name]) for name in ("item_item", "content", "popular")]
    assert lists["capped: merged"] == world.ids(interleaved(of_all, DEEP))
    without = recommend(replace(feeds["capped"], rerankers={}), replace(query, feed="capped", n=DEEP))
    assert lists["capped: ranked"] == world.ids(without.positions)


def test_ranked_compared_with_the_feed_shows_the_cost_of_reranking(world: World) -> None:
    lists = lists_of(world, build_systems(world.recipe, ["capped"], "popular"), unfiltered(world, "sa"))
    assert lists["capped"] != lists["capped: ranked"]
    first = [world.catalog.terms_at("content_type", world.position(item)) for item in lists["capped"][:3]]
    assert len(set(first)) == 3
    assert set(lists["capped"][:3]) != set(lists["capped: ranked"][:3])


def test_a_cold_user_is_answered_by_the_cold_start_feed_and_retrievers_run_all_the_same() -> None:
    declared = recipe(warm=feed("item_item", "trending", cold_start="popular"))
    world = replace(toy_world(), recipe=declared)
    systems = build_systems(declared, ["warm"], "popular")
    lists = lists_of(world, systems, unfiltered(world, "cold"))
    assert lists["warm"] == lists["popular"] == lists["warm: merged"]
    assert lists["item_item"] == ()
    assert lists["trending"][:2] == ("c2", "c1")


def test_every_feed_runs_once_and_by_its_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, str]] = []

    def see(feed: Feed, query: Query) -> Any:
        seen.append((feed.name, query.feed))
        return rank(feed, query)

    monkeypatch.setattr(module, "rank", see)
    lists_of(world, build_systems(world.recipe, ["home", "capped"], "popular"), unfiltered(world, "da"))
    assert seen == [("popular", "popular"), ("home", "home"), ("capped", "capped")]


def test_a_part_that_fails_is_named_and_the_others_answer(world: World) -> None:
    class Broken:
        def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
            raise ValueError("no such luck")

    feeds = build_feeds(world.recipe, world.resources)
    broken = {**feeds["capped"].retrievers, "content": (Broken(), 10)}
    feeds["capped"] = replace(feeds["capped"], retrievers=broken)
    systems = build_systems(world.recipe, ["capped"], "popular")
    answers = run_systems(feeds, week_of(world), systems, unfiltered(world, "da"))
    assert answers.failed == {"capped.content": "ValueError: no such luck"}
    assert len(answers.lists["content"]) == 0
    assert len(answers.lists["capped"]) > 0


def test_a_user_without_a_name_has_lists_too(world: World) -> None:
    query = Query("toy", "", UserState(None), now=world.query().now, n=5)
    assert lists_of(world, build_systems(world.recipe, ["home"], "popular"), query)["home"][0] == "d1"


def test_round_robin_by_hand() -> None:
    lists = [np.array(found, np.int32) for found in ([5, 1, 2, 9], [], [1, 5, 7])]
    assert interleaved(lists, 10).tolist() == [5, 1, 2, 7, 9]
    assert interleaved(lists, 3).tolist() == [5, 1, 2]
    assert interleaved([], 3).tolist() == []


some_positions = st.lists(st.integers(0, 30), max_size=12, unique=True).map(
    lambda items: np.array(items, np.int32)
)
some_lists = st.lists(some_positions, max_size=5)


@given(some_lists, st.integers(1, 40))
def test_round_robin_has_everything_once_and_no_list_waits_long(lists: list[Positions], most: int) -> None:
    every = {item for found in lists for item in found.tolist()}
    taken = interleaved(lists, most).tolist()
    assert len(taken) == len(set(taken)) == min(most, len(every))
    assert set(taken) <= every
    place = {item: at for at, item in enumerate(interleaved(lists, len(every) or 1).tolist())}
    for found in lists:
        for turn, item in enumerate(found.tolist()):
            assert place[item] < len(lists) * (turn + 1)
