"""Where users are kept apart, what others have and do changes nothing that is derived: no score, order or reason.

Two worlds are the same but for what the other groups have: other items with the same words, other users, other
events. Whoever is of the group that is in both gets the same from each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from homefeed.engine import build_feeds
from homefeed.explain import Trace
from homefeed.funnel import rank, recommend
from homefeed.testing import Play, World, make_world
from homefeed.testing.world import NOW, RECIPE
from homefeed.tracing import explain
from homefeed.types import DAY, Floats, Item, Query, Searches, Slate

WORDS = (
    "amber",
    "birch",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "grove",
    "heath",
    "inlet",
    "jetty",
    "knoll",
    "lagoon",
    "marsh",
    "north",
    "oasis",
    "prairie",
)
TYPES = ("movie", "series", "show")
SEARCH = {"fields": {"title": 1.0, "genre": 0.5}}
RETRIEVERS: dict[str, dict[str, Any]] = {
    "als": {},
    "association": {},
    "content": {"interests": "likes", "interests_field": "genre"},
    "diverse": {"field": "content_type"},
    "explore": {"max_age_days": 60.0, "max_events": 1_000},
    "fresh": {"max_age_days": 90.0},
    "item_item": {},
    "popular": {},
    "rated": {"prior_count": 10.0},
    "search": SEARCH | {"prior": {"rating": "rating", "count": "reviews"}},
    "searched": SEARCH | {"max_matches": 6},
    "semantic": SEARCH | {"min_similarity": 0.1},
    "sequence": {},
    "similar": {},
    "top_categories": {"field": "content_type"},
    "trending": {},
    "user_user": {},
}
FEATURES = {
    "popularity": {},
    "recency": {},
    "tag_overlap": {"field": "genre"},
    "affinity": {"field": "content_type"},
    "activity": {},
    "age": {},
    "context": {"values": {"query": ["amber fjrd norht"]}},
    "price_fit": {"field": "rating"},
    "repeats": {"of": ["content_type"]},
    "similarity": {},
    "chosen_alike": {"part": "similarity", "model": "als"},
}
DECLARED: dict[str, Any] = {
    **RECIPE,
    "items": {
        "fields": {
            "group": "category",
            "title": "text",
            "content_type": "category",
            "genre": "tags",
            "rating": "number",
            "reviews": "number",
        }
    },
    "users": {"fields": {"group": "category", "likes": "tags"}},
    "isolation": {"item": "group", "user": "group"},
    "models": {
        # Lists so short that the items of others would push out one's own.
        "als": {"factors": 4, "regularization": 0.5},
        "association": {"gap_minutes": 100_000.0, "neighbours": 4},
        "content": {"fields": {"title": 1.0, "genre": 0.5}, "dimensions": 8},
        "item_item": {"neighbours": 4, "candidates": 6, "dimensions": 4},
        "sequence": {"neighbours": 4, "candidates": 6},
        "similar": {"fields": {"title": 1.0, "genre": 0.5}, "neighbours": 4},
        "user_user": {},
    },
    "feeds": {
        **{
            name: {"retrieve": {name: config}, "rank": {"weighted": {"weights": {name: 1.0}}}}
            for name, config in RETRIEVERS.items()
        },
        "all": {
            "retrieve": RETRIEVERS,
            "features": FEATURES,
            "rank": {"weighted": {"weights": {**dict.fromkeys(RETRIEVERS, 1.0), "popularity": 0.5}}},
        },
    },
}


def an_item(group: str, n: int, number: int, rng: np.random.Generator) -> Item:
    words = rng.choice(WORDS, 4, replace=False)
    attributes = {
        "group": group,
        "title": " ".join(words),
        "content_type": TYPES[int(rng.integers(len(TYPES)))],
        "genre": [str(rng.choice(WORDS[:6]))],
        "rating": float(rng.uniform(1, 5)),
        "reviews": int(rng.integers(1, 500)),
    }
    return Item(f"{group}{n}", number, attributes, NOW - int(rng.uniform(1, 50) * DAY))


def other_case(item: Item) -> Item:
    return replace(item, attributes={**item.attributes, "content_type": item.attributes["content_type"].upper()})


def plays_of(group: str, users: int, items: Sequence[Item], rng: np.random.Generator) -> Iterator[Play]:
    for user in range(users):
        for item in rng.choice(len(items), int(rng.integers(3, 8)), replace=False).tolist():
            seconds, days = float(rng.uniform(60, 7_200)), float(rng.uniform(0.5, 40))
            yield Play(f"{group}-u{user}", items[item].item_id, seconds, days)


def a_world(others: int) -> World:
    """The group "mine" is the same whatever `others` says; its items lie between theirs."""
    own, other = np.random.default_rng(7), np.random.default_rng(100 + others)
    mine = [an_item("mine", n, 1_000 * n + 500, own) for n in range(24)]
    played = list(plays_of("mine", 14, mine, own))
    items = list(mine)
    more: list[Play] = []
    for group in ("Mine", "other")[: 1 + others]:
        theirs = [an_item(group, n, 1_000 * n + 7 + len(group), other) for n in range(20 + 30 * others)]
        more += plays_of(group, 10 + 70 * others, theirs, other)
        # The same categories, written otherwise, and first.
        items += [other_case(item) for item in theirs] if others else theirs
    items.sort(key=lambda item: item.number)
    return make_world(items, [*more, *played], declared=DECLARED)


@cache
def worlds() -> tuple[World, World]:
    return a_world(0), a_world(1)


@cache
def feeds_of(which: int) -> Any:
    world = worlds()[which]
    return build_feeds(world.recipe, world.resources)


def asked(world: World, user: str, anchor: str | None = None) -> Query:
    query = world.query(
        f"mine-{user}", anchor=anchor, attributes={"group": "mine", "likes": ["amber", "cedar"]}, n=12
    )
    searches = Searches(("delta grove", "embr"), np.array([NOW - DAY, NOW], np.int64))
    return replace(query, user=replace(query.user, searches=searches), context={"query": "amber fjrd norht"})


def told(world: World, slate: Slate) -> list[tuple[Any, ...]]:
    return list(zip(world.ids(slate.positions), slate.reasons, slate.sources, strict=True))


REQUESTS = [("u0", None), ("u3", None), ("u9", None), ("stranger", None), ("u1", "mine3"), ("stranger", "mine8")]


@pytest.mark.parametrize(("user", "anchor"), REQUESTS)
@pytest.mark.parametrize("feed", ["all", *RETRIEVERS])
def test_what_others_have_and_do_changes_no_list_score_or_reason(feed: str, user: str, anchor: str | None) -> None:
    slates: list[Slate] = []
    proposed: list[Floats] = []
    for which, world in enumerate(worlds()):
        slates.append(recommend(feeds_of(which)[feed], asked(world, user, anchor)))
        proposed.append(rank(feeds_of(which)[feed], asked(world, user, anchor)).candidates.retriever_scores)
        assert slates[-1].failed == {}
    here, there = slates
    assert told(worlds()[0], here) == told(worlds()[1], there)
    # To the rounding of 32 bits: sums of floats can depend on where a row lies in a matrix.
    np.testing.assert_allclose(here.scores, there.scores, rtol=2e-6)
    np.testing.assert_allclose(proposed[0], proposed[1], rtol=2e-6)
    np.testing.assert_allclose(here.features, there.features, rtol=2e-6, atol=1e-7)
    assert here.remaining == there.remaining


@pytest.mark.parametrize("feed", ["all", *sorted(RETRIEVERS)])
def test_every_retriever_finds_something_in_these_worlds(feed: str) -> None:
    found = [len(recommend(feeds_of(0)[feed], asked(worlds()[0], user, anchor))) for user, anchor in REQUESTS]
    assert max(found) >= 2


def test_a_trace_is_the_same_too() -> None:
    traces: list[list[Trace]] = []
    for which, world in enumerate(worlds()):
        feed, query = feeds_of(which)["all"], asked(world, "u3")
        best = rank(feed, query).candidates.positions[:3].tolist()
        traces.append([explain(feed, query, position) for position in best])
    for here, there in zip(*traces, strict=True):
        assert but_for_floats(here) == but_for_floats(there)
        np.testing.assert_allclose(floats_of(here), floats_of(there), rtol=2e-6, atol=1e-7)


def but_for_floats(trace: Trace) -> Trace:
    retrievers = tuple(replace(each, score=None) for each in trace.retrievers)
    features = tuple(replace(each, value=0.0, contribution=0.0) for each in trace.features)
    return replace(trace, score=None, retrievers=retrievers, features=features, seconds={})


def floats_of(trace: Trace) -> list[float]:
    found = [trace.score, *(each.score for each in trace.retrievers)]
    values = [number for each in trace.features for number in (each.value, each.contribution)]
    return [number or 0.0 for number in found] + values
