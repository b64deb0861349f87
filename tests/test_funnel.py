"""The one request path, under the recipe of the streaming app."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import homefeed.apps.streaming
from homefeed.engine import build_feeds
from homefeed.errors import InvalidError
from homefeed.funnel import Feed, recommend
from homefeed.recipe import load_recipe
from homefeed.testing import Play, World, empty_world, make_world, toy_item, toy_world
from homefeed.testing.requests import long_history, toy_requests
from homefeed.testing.world import ITEMS, PLAYS, POPULAR, USERS
from homefeed.tracing import explain
from homefeed.types import Condition, Item, Query

RECIPE = load_recipe(Path(homefeed.apps.streaming.__file__).with_name("recipe.toml"))
FEEDS = tuple(RECIPE.feeds)


def random_world(seed: int, items: int = 400, plays: int = 1_500) -> World:
    """Many more items than any retriever is asked for; one in twenty is of the rare genre."""
    rng = np.random.default_rng(seed)
    kinds, genres = ("movie", "series", "microdrama"), ("Drama", "Comedy", "SciFi")
    catalogue = [
        toy_item(
            n,
            f"i{n}",
            float(rng.uniform(0, 60)),
            title=f"Title {n} of {rng.integers(40)}",
            content_type=kinds[rng.integers(3)],
            genre=[genres[rng.integers(3)], *(["Rare"] if rng.random() < 0.05 else [])],
        )
        for n in range(items)
    ]
    popularity = rng.permutation(items)
    played = popularity[np.minimum(rng.exponential(items / 5, plays).astype(int), items - 1)]
    return make_world(
        catalogue,
        [
            Play(f"u{rng.integers(40)}", f"i{item}", float(rng.integers(1, 4000)), float(rng.uniform(0, 30)))
            for item in played
        ],
    )


SMALL, HIDING, LARGE = toy_world(), toy_world(), random_world(3)
SMALL_FEEDS, HIDING_FEEDS, LARGE_FEEDS = (build_feeds(RECIPE, world.resources) for world in (SMALL, HIDING, LARGE))


def enough_of(world: World, query: Query, item: int) -> bool:
    """Whether the user has watched the item heavily."""
    watched = query.user.history.values[query.user.history.items == item].sum()
    return bool(len(query.user.history)) and watched >= min(0.5 * world.counters.full[item], 1800)


def meets(item: Item, condition: Condition) -> bool:
    value = item.attributes.get(condition.field, [])
    values = [value] if isinstance(value, str) else value
    return condition.value.casefold() in [each.casefold() for each in values]


def matching(world: World, items: Sequence[Item], query: Query, hidden: set[int]) -> set[int]:
    """Every position that a feed may show, item by item."""
    out = hidden | set(query.exclude.tolist()) | {query.anchor}
    return {
        position
        for position, item in enumerate(items)
        if position not in out
        and all(meets(item, condition) for condition in query.conditions)
        and not enough_of(world, query, position)
    }


conditions = st.lists(
    st.one_of(
        st.builds(
            Condition, st.just("genre"), st.just(":"), st.sampled_from(["Drama", "scifi", "Comedy", "Rare"])
        ),
        st.builds(
            Condition, st.just("content_type"), st.just(":"), st.sampled_from(["movie", "series", "microdrama"])
        ),
    ),
    max_size=2,
)


@settings(max_examples=60)
@given(
    feed=st.sampled_from(FEEDS),
    user=st.sampled_from(USERS),
    conditions=conditions,
    hidden=st.sets(st.integers(0, len(ITEMS) - 1)),
    excluded=st.sets(st.sampled_from([item.item_id for item in ITEMS]), max_size=4),
    n=st.integers(1, 15),
    anchor=st.sampled_from([item.item_id for item in ITEMS]),
)
def test_a_page_is_filled_whenever_enough_items_match(
    feed: str, user: str, conditions: list[Condition], hidden: set[int], excluded: set[str], n: int, anchor: str
) -> None:
    HIDING.catalog.apply(replace(item, hidden=position in hidden) for position, item in enumerate(ITEMS))
    query = HIDING.query(
        user,
        n=n,
        conditions=tuple(conditions),
        exclude=tuple(excluded),
        anchor=anchor if HIDING_FEEDS[feed].settings.anchored else None,
    )
    check_page(HIDING_FEEDS[feed], query, matching(HIDING, ITEMS, query, hidden))


def check_page(feed: Feed, query: Query, expected: set[int]) -> None:
    slate = recommend(feed, query)
    shown = slate.positions.tolist()
    assert len(shown) == min(query.n, len(expected))
    assert len(set(shown)) == len(shown)
    assert set(shown) <= expected
    assert not slate.failed
    assert len(slate.reasons) == len(slate.sources) == len(slate.scores) == len(shown)
    assert all(slate.reasons)
    assert all(slate.sources)
    assert (np.diff(slate.scores) <= 0).all()
    assert np.isfinite(slate.scores).all()


@settings(max_examples=40)
@given(
    feed=st.sampled_from(FEEDS),
    user=st.integers(0, 41),
    conditions=conditions,
    share=st.sampled_from([0.0, 0.1, 0.9, 1.0]),
    seed=st.integers(0, 2**32 - 1),
    n=st.sampled_from([1, 20, 150, 400]),
)
@example(feed="home", user=0, conditions=[Condition("genre", ":", "Rare")], share=0.5, seed=1, n=20)
def test_nor_does_a_large_catalogue_starve_a_page(
    feed: str, user: int, conditions: list[Condition], share: float, seed: int, n: int
) -> None:
    rng = np.random.default_rng(seed)
    excluded = tuple(f"i{item}" for item in np.flatnonzero(rng.random(400) < share))
    anchor = f"i{rng.integers(400)}" if LARGE_FEEDS[feed].settings.anchored else None
    query = LARGE.query(f"u{user}", n=n, conditions=tuple(conditions), exclude=excluded, anchor=anchor)
    items = [Item(f"i{p}", p, LARGE.catalog.attributes(p), None) for p in range(400)]
    check_page(LARGE_FEEDS[feed], query, matching(LARGE, items, query, set()))


@pytest.mark.parametrize("feed", FEEDS)
def test_a_longer_page_begins_with_the_shorter_one(feed: str) -> None:
    for user in range(0, 40, 7):
        query = LARGE.query(f"u{user}", n=64, anchor="i5" if LARGE_FEEDS[feed].settings.anchored else None)
        longer = recommend(LARGE_FEEDS[feed], query)
        for n in (1, 5, 20, 21, 50):
            page = recommend(LARGE_FEEDS[feed], replace(query, n=n))
            assert page.positions.tolist() == longer.positions[:n].tolist()
            assert page.scores.tolist() == longer.scores[:n].tolist()
            assert page.reasons == longer.reasons[:n]


@pytest.mark.parametrize("feed", FEEDS)
def test_every_kind_of_request_is_answered(feed: str) -> None:
    for query in toy_requests(SMALL).values():
        if SMALL_FEEDS[feed].settings.anchored == (query.anchor is not None):
            slate = recommend(SMALL_FEEDS[feed], query)
            assert not slate.failed
            assert set(slate.positions.tolist()) <= set(np.flatnonzero(query.eligible).tolist())


@pytest.mark.parametrize("feed", ["popular", "trending", "fresh", "home"])
def test_an_empty_catalogue_has_empty_pages(feed: str) -> None:
    world = empty_world()
    slate = recommend(build_feeds(RECIPE, world.resources)[feed], world.query("da"))
    assert len(slate) == 0
    assert slate.reasons == ()
    assert slate.sources == ()
    assert not slate.failed


def test_a_single_item_is_recommended_to_whoever_has_not_had_enough_of_it() -> None:
    world = make_world(ITEMS[:1], PLAYS[:1])
    home = build_feeds(RECIPE, world.resources)["home"]
    assert world.ids(recommend(home, world.query("cold")).positions) == ("d1",)
    assert len(recommend(home, world.query("da"))) == 0


def test_asking_for_none_gives_none() -> None:
    assert len(recommend(SMALL_FEEDS["home"], SMALL.query("da", n=0))) == 0


@pytest.mark.parametrize("conditions", [(), (Condition("genre", ":", "Drama"),)])
def test_a_newcomer_gets_exactly_the_popular_feed(conditions: tuple[Condition, ...]) -> None:
    for user in ("cold", None):
        query = SMALL.query(user, conditions=conditions, n=20)
        home, popular = (recommend(SMALL_FEEDS[name], query) for name in ("home", "popular"))
        assert home.positions.tolist() == popular.positions.tolist()
        assert home.scores.tolist() == popular.scores.tolist()
        assert (home.reasons, home.sources) == (popular.reasons, popular.sources)
        assert home.cold_start
        assert home.feed == "home"
        assert conditions or SMALL.ids(home.positions) == POPULAR


def test_someone_with_a_history_does_not() -> None:
    slate = recommend(SMALL_FEEDS["home"], SMALL.query("da", n=1))
    assert not slate.cold_start
    assert SMALL.ids(slate.positions) == ("d3",)


def test_a_long_history_is_answered_by_its_latest_part() -> None:
    everything = long_history(SMALL, 10_000)
    likes = replace(everything, values=np.full_like(everything.values, np.nan))
    long, short = (SMALL.query("u", history=history) for history in (likes, likes.latest(50)))
    answers = [recommend(SMALL_FEEDS["home"], query) for query in (long, short)]
    assert len(answers[0]) == 10
    assert answers[0].positions.tolist() == answers[1].positions.tolist()
    assert answers[0].scores.tolist() == answers[1].scores.tolist()
    assert len(recommend(SMALL_FEEDS["home"], SMALL.query("u", history=everything))) == 0, "watched heavily, all"


def test_an_anchored_feed_needs_an_anchor() -> None:
    with pytest.raises(InvalidError, match="item_id: the feed similar is about an item"):
        recommend(SMALL_FEEDS["similar"], SMALL.query("da"))


def test_an_items_page_does_not_show_the_item() -> None:
    slate = recommend(SMALL_FEEDS["similar"], SMALL.query("sa", anchor="d1", n=20))
    assert "d1" not in SMALL.ids(slate.positions)
    assert "d2" in SMALL.ids(slate.positions[:2])
    assert not slate.cold_start


@pytest.mark.parametrize("feed", FEEDS)
@pytest.mark.parametrize("user", ["da", "mi", "cold", None])
def test_explain_agrees_with_recommend(feed: str, user: str | None) -> None:
    query = SMALL.query(user, n=4, exclude=("s1",), anchor="c2" if SMALL_FEEDS[feed].settings.anchored else None)
    slate = recommend(SMALL_FEEDS[feed], query)
    shown = slate.positions.tolist()
    for position in range(SMALL.catalog.size):
        trace = explain(SMALL_FEEDS[feed], query, position)
        assert trace.cold_start == slate.cold_start
        assert trace.made_by == ("popular" if feed == "home" and slate.cold_start else feed)
        passed = all(filter_.passed for filter_ in trace.filters)
        if position in shown:
            row = shown.index(position)
            assert trace.verdict == f"Shown at place {row + 1}"
            assert trace.place == row + 1
            assert trace.score == pytest.approx(float(slate.scores[row]))
            assert trace.reason == slate.reasons[row]
            assert tuple(r.name for r in trace.retrievers if r.rank is not None) == slate.sources[row]
        elif trace.place is not None:
            assert trace.place > 4
            assert trace.verdict == f"Not among the first 4: place {trace.place}"
        else:
            assert not passed
            assert (trace.score, trace.reason, trace.features) == (None, None, ())
        if trace.place is not None:
            assert passed
            assert sum(each.contribution for each in trace.features) == pytest.approx(trace.score, abs=1e-4)


def test_the_verdict_names_every_filter_that_stopped_an_item() -> None:
    query = SMALL.query("de", conditions=(Condition("genre", ":", "Comedy"),))
    verdicts = {
        item: explain(SMALL_FEEDS["home"], query, SMALL.position(item)).verdict
        for item in ("h1", "d1", "s1", "c1")
    }
    assert verdicts == {
        "h1": "Not shown: stopped by availability and request and consumption_limit",
        "d1": "Not shown: stopped by request and consumption_limit",
        "s1": "Not shown: stopped by request",
        "c1": "Shown at place 2",
    }


def test_the_verdict_on_an_item_nobody_proposed() -> None:
    home = SMALL_FEEDS["home"]
    narrow = replace(home, retrievers={"item_item": home.retrievers["item_item"]})
    trace = explain(narrow, SMALL.query("da"), SMALL.position("s1"))
    assert trace.verdict == "Not shown: no retriever proposed it"
    assert [(r.name, r.score, r.rank) for r in trace.retrievers] == [("item_item", None, None)]
    assert trace.retrievers[0].proposals > 0


def test_ranks_in_a_trace_are_those_of_the_retriever() -> None:
    for place, item_id in enumerate(POPULAR, start=1):
        trace = explain(SMALL_FEEDS["popular"], SMALL.query(), SMALL.position(item_id))
        assert (trace.place, trace.retrievers[0].rank, trace.retrievers[0].proposals) == (
            place,
            place,
            len(POPULAR),
        )


def test_a_stand_in_proposes_only_where_the_one_before_it_does_not() -> None:
    home = SMALL_FEEDS["home"]
    parts = {name: home.retrievers[name] for name in ("item_item", "fresh", "popular")}
    chain = {"fresh": "item_item", "popular": "fresh"}
    feed = replace(home, cold_start=None, retrievers=parts, instead_of=chain)
    assert {name for names in recommend(feed, SMALL.query("da")).sources for name in names} == {"item_item"}
    assert {name for names in recommend(feed, SMALL.query("cold")).sources for name in names} == {"fresh"}
    old = (Condition("year", "<", "2021"),)
    asked = recommend(feed, SMALL.query("cold", conditions=old))
    assert {name for names in asked.sources for name in names} == {"popular"}
