"""What was ranked once gives page after page: the first that may still be shown, told truly, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from homefeed.engine import build_feeds
from homefeed.funnel import Feed, page, rank, recommend, slim
from homefeed.recipe import parse_recipe
from homefeed.testing import World, toy_world
from homefeed.testing.world import ITEMS, POPULAR, RECIPE
from homefeed.tracing import explain
from homefeed.types import Candidates, Dropped, Mask, Query

PARTS: dict[str, Any] = {
    "retrieve": {"popular": {}, "explore": {"max_age_days": 3, "slots": 1}},
    "features": {"popularity": {}},
    "rank": {"weighted": {"weights": {"popular": 1.0, "popularity": 0.5}}},
    "rerank": {"explore": {"places": [1]}, "caps": {"field": "content_type", "max_items": 1, "window": 6}},
}


def feed_of(world: World, **parts: Any) -> Feed:
    declared: Mapping[str, Any] = {**RECIPE, "feeds": {"home": PARTS | parts}}
    return build_feeds(parse_recipe(declared, "a test"), world.resources)["home"]


def shown(world: World, feed: Feed, query: Query) -> list[str]:
    return list(world.ids(recommend(feed, query).positions))


class Refusing:
    """A filter that can be told what to stop."""

    def __init__(self, world: World) -> None:
        self.world, self.stopped = world, list[str]()

    def filter(self, query: Query) -> Mask:
        mask = np.ones(self.world.catalog.size, np.bool_)
        mask[self.world.positions(*self.stopped)] = False
        return mask

    def why(self, query: Query, position: int) -> str:
        return f"told to stop {self.world.catalog.item_id(position)}"


def test_a_page_is_the_first_of_what_was_ranked() -> None:
    world = toy_world()
    feed = build_feeds(world.recipe, world.resources)["popular"]
    ranked = rank(feed, world.query(n=3))
    first = page(ranked, world.query(n=3))
    assert world.ids(first.positions) == POPULAR[:3]
    assert first.remaining == len(POPULAR) - 3
    second = page(ranked, world.query(n=3, exclude=POPULAR[:3]))
    assert world.ids(second.positions) == POPULAR[3:6]
    assert (second.remaining, second.filtered_late) == (len(POPULAR) - 6, ("request",))
    last = page(ranked, world.query(n=30, exclude=POPULAR[:6]))
    assert (world.ids(last.positions), last.remaining) == (POPULAR[6:], 0)


def test_what_a_filter_stops_now_is_not_on_a_page_ranked_before() -> None:
    world = toy_world()
    feed = build_feeds(world.recipe, world.resources)["popular"]
    refusing = Refusing(world)
    ranked = rank(replace(feed, filters={**feed.filters, "told": refusing}), world.query(n=4))
    assert page(ranked, world.query(n=4)).filtered_late == ()
    refusing.stopped = [POPULAR[0], POPULAR[2]]
    slate = page(ranked, world.query(n=3))
    assert world.ids(slate.positions) == (POPULAR[1], *POPULAR[3:5])
    assert (slate.filtered_late, slate.remaining) == (("told",), len(POPULAR) - 5)
    world.catalog.apply([replace(ITEMS[world.position(POPULAR[1])], hidden=True)])
    assert set(page(ranked, world.query(n=3)).filtered_late) == {"told", "availability"}


def test_a_page_tells_of_its_own_rows() -> None:
    world = toy_world()
    feed = feed_of(world, rerank={})
    ranked = rank(feed, world.query(n=4))
    whole, second = (
        page(ranked, world.query(n=8)),
        page(ranked, world.query(n=4, exclude=("d1", "s1", "d2", "s2"))),
    )
    assert world.ids(second.positions) == world.ids(whole.positions)[4:]
    assert second.scores.tolist() == whole.scores[4:].tolist()
    assert second.reasons == whole.reasons[4:]
    assert second.sources == whole.sources[4:]
    assert second.features.tolist() == whole.features[4:].tolist()
    assert second.feature_names == ("popular", "explore", "popularity")
    assert second.features.shape == (4, 3)
    assert (whole.features @ [1.0, 0.0, 0.5]).tolist() == pytest.approx(whole.scores.tolist())
    assert whole.propensities.tolist() == [1.0] * 8


def test_what_is_kept_of_it_gives_the_same_pages() -> None:
    world = toy_world()
    feed = feed_of(world)
    query = world.query("da", n=3)
    ranked = rank(feed, query)
    kept = slim(ranked, 10)
    assert ranked.candidates.dropped
    for asked in (query, world.query("da", n=2, exclude=world.ids(ranked.candidates.positions[:3]))):
        one, other = page(ranked, asked), page(kept, asked)
        assert one.positions.tolist() == other.positions.tolist()
        assert one.reasons == other.reasons
        assert one.propensities.tolist() == other.propensities.tolist()
    fewer = slim(ranked, 2)
    assert fewer.candidates.positions.tolist() == ranked.candidates.positions[:2].tolist()
    assert page(fewer, world.query("da", n=10)).remaining == 0
    assert (kept.proposals, kept.passed, kept.stages, kept.candidates.dropped) == ({}, {}, {}, ())
    assert len(kept.query.eligible) == len(kept.query.explainable) == 0
    assert len(ranked.query.eligible) == world.catalog.size, "what was ranked is as it was"


def test_the_explored_have_their_propensity_and_the_others_one() -> None:
    world = toy_world()
    slate = recommend(feed_of(world, rerank={"explore": {"places": [1]}}), world.query("da", n=5))
    names = world.ids(slate.positions)
    assert names[1] in {"d4", "s4"}, "two are younger than three days"
    assert slate.propensities.tolist() == [1, 0.5, 1, 1, 1]
    trace = explain(
        feed_of(world, rerank={"explore": {"places": [1]}}), world.query("da", n=5), int(slate.positions[1])
    )
    assert (trace.propensity, trace.place) == (0.5, 2)


def test_a_trace_tells_the_places_before_and_after_every_reranker() -> None:
    world = toy_world()
    feed = feed_of(world)
    query = world.query("da", n=20)
    ranked = rank(feed, query)
    assert list(ranked.stages) == ["home", "explore", "caps"]
    stages = {name: list(world.ids(order)) for name, order in ranked.stages.items()}
    assert stages["caps"] == list(world.ids(ranked.candidates.positions))
    moved = taken_out = 0
    for position in range(world.catalog.size):
        item = world.catalog.item_id(position)
        trace = explain(feed, query, position)
        places = [names.index(item) + 1 if item in names else None for names in stages.values()]
        told = [(reranker.name, reranker.before, reranker.after) for reranker in trace.rerankers]
        assert told == [("explore", places[0], places[1]), ("caps", places[1], places[2])]
        moved += places[0] != places[1]
        if places[1] is not None and places[2] is None:
            taken_out += 1
            assert trace.dropped_by is not None
            assert trace.dropped_by.startswith("caps: 1 of one content_type in 6 places")
            assert trace.verdict == f"Not shown: taken out by {trace.dropped_by}"
        elif places[2] is not None:
            assert trace.place == places[2]
            assert trace.dropped_by is None
    assert moved
    assert taken_out


class TakesOut:
    """A reranker that drops the first of what it gets."""

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        gone = Dropped("first", candidates.positions[:1], "it came first")
        return replace(candidates.take(slice(1, None)), dropped=(*candidates.dropped, gone))


def test_each_reranker_gets_what_the_one_before_left() -> None:
    world = toy_world()
    feed = build_feeds(world.recipe, world.resources)["popular"]
    twice = replace(feed, rerankers={"once": TakesOut(), "again": TakesOut()})
    assert shown(world, twice, world.query(n=3)) == list(POPULAR[2:5])
    trace = explain(twice, world.query(n=3), world.position(POPULAR[1]))
    assert [(a.name, a.before, a.after) for a in trace.rerankers] == [("once", 2, 1), ("again", 1, None)]
    assert trace.dropped_by == "first: it came first"
    slate = recommend(twice, world.query(n=3))
    assert slate.filtered_late == (), "what rerankers take out was not stopped at the gate"


def test_a_filter_that_can_say_why_does() -> None:
    world = toy_world()
    feed = build_feeds(world.recipe, world.resources)["popular"]
    refusing = Refusing(world)
    refusing.stopped = ["s1"]
    told = replace(feed, filters={**feed.filters, "told": refusing})
    trace = explain(told, world.query(exclude=("s1", "d1")), world.position("s1"))
    assert [(filter_.name, filter_.passed, filter_.why) for filter_ in trace.filters] == [
        ("availability", True, None),
        ("request", False, None),
        ("blocked", True, None),
        ("seen", True, None),
        ("told", False, "told to stop s1"),
    ]
    assert trace.verdict == "Not shown: stopped by request and told (told to stop s1)"
    passed = explain(told, world.query(), world.position("d1"))
    assert all(filter_.passed and filter_.why is None for filter_ in passed.filters)


def test_reasons_name_nothing_that_may_not_be_seen() -> None:
    world = toy_world()
    feed = build_feeds(world.recipe, world.resources)["home"]
    before = recommend(feed, world.query("da", n=1))
    assert before.reasons[0].endswith("Harbour Lights"), "which da played"
    world.catalog.apply([replace(ITEMS[world.position("d1")], hidden=True)])
    slate = recommend(feed, world.query("da", n=20))
    assert len(slate)
    assert not any("Harbour Lights" in reason for reason in slate.reasons)
