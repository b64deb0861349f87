"""Tagged: who shares tags, the nearest first, by their names for people."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.places_sample import FIELDS

from homefeed.geo import EQUATOR_RADIUS_KM, Place
from homefeed.protocols import Retriever
from homefeed.retrieve.tagged import Tagged
from homefeed.testing import RetrieverContract, World, make_world, toy_item
from homefeed.testing.requests import toy_requests
from homefeed.testing.world import RECIPE
from homefeed.types import Query

DECLARED = {**RECIPE, "items": {"fields": FIELDS | {"names": "tags"}}}
WORLD = make_world(
    [
        toy_item(0, "both", 1, genre=["t1", "t2"], names=["Tea", "Cats"], location=[0, 0]),
        toy_item(1, "one", 1, genre=["t1"], names=["Tea"], location=[0, 1]),
        toy_item(2, "more", 1, genre=["t1", "t2", "t3", "t4"]),
        toy_item(3, "other", 1, genre=["t9"]),
        toy_item(4, "none", 1),
    ],
    (),
    declared=DECLARED,
)
DEGREE = math.pi / 180 * EQUATOR_RADIUS_KM


def tagged(world: World, **config: Any) -> Tagged:
    return Tagged(Tagged.Config.model_validate({"field": "genre", **config}), world.resources)


def scores(query: Query, k: int = 10, **config: Any) -> dict[str, float]:
    positions, found = tagged(WORLD, **config).retrieve(query, k)
    return dict(zip(WORLD.ids(positions), found.tolist(), strict=True))


class TestTagged(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return tagged(world)

    def requests(self, world: World) -> dict[str, Query]:
        liking = world.query("da", attributes={"interests": ["Drama", "comedy", "nothing"]})
        return toy_requests(world) | {"interests": liking}


def test_the_score_is_the_jaccard_similarity() -> None:
    query = WORLD.query("u", attributes={"interests": ["T1", "t2"]})
    assert scores(query) == pytest.approx({"both": 1, "one": 0.5, "more": 0.5})
    assert list(scores(query, k=1)) == ["both"]
    assert scores(WORLD.query("u")) == {}


def test_what_is_near_counts_more() -> None:
    query = WORLD.query("u", attributes={"interests": ["t1"]}, place=Place(0, 1))
    found = scores(query, place_weight=2.0, place_km=DEGREE)
    assert found == pytest.approx({"one": 1 + 2, "both": 0.5 + 2 / 2, "more": 0.25}, rel=1e-4)
    assert list(found) == ["one", "both", "more"]


def test_reasons_name_what_is_shared() -> None:
    query = WORLD.query("u", attributes={"interests": ["t2", "T1"]})
    positions = WORLD.positions("both", "more", "other")
    assert tagged(WORLD, names="names").reasons(query, positions) == [
        "Matches your interests: Tea, Cats",
        "Matches your interests: t1, t2",  # its names are not told
        None,
    ]


@given(st.lists(st.sampled_from(["t1", "t2", "t3", "t9", "zz"]), max_size=6), st.integers(0, 5))
def test_it_proposes_the_best_of_those_that_share_one(told: list[str], k: int) -> None:
    mine = set(told)
    sets = {"both": {"t1", "t2"}, "one": {"t1"}, "more": {"t1", "t2", "t3", "t4"}, "other": {"t9"}}
    expected = sorted((len(mine & tags) / len(mine | tags) for tags in sets.values() if mine & tags), reverse=True)
    found = scores(WORLD.query("u", attributes={"interests": told}), k)
    assert list(found.values()) == pytest.approx(expected[:k])


def test_the_rarest_tags_come_first_where_there_are_too_many() -> None:
    query = WORLD.query("u", attributes={"interests": ["t1", "t9", "t3"]})
    # t9 and t3 have one holder each, t1 three.
    assert set(scores(query)) == {"both", "one", "more", "other"}
    assert set(scores(query, max_items=4)) == {"more", "other"}
    assert scores(query, max_items=1) == pytest.approx({"more": 2 / 5})
    assert scores(WORLD.query("u", attributes={"interests": ["t1"]}), max_items=2) == {}
