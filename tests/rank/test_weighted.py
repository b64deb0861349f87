"""The weighted hybrid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from homefeed.engine import build_feeds
from homefeed.errors import RecipeError
from homefeed.protocols import Ranker
from homefeed.rank.weighted import Weighted
from homefeed.recipe import parse_recipe
from homefeed.testing import RankerContract, World, toy_world
from homefeed.testing.world import RECIPE
from homefeed.types import Candidates, Query


def weighted(world: World, **weights: float) -> Weighted:
    return Weighted(Weighted.Config(weights=weights), world.resources)


def candidates(names: tuple[str, ...], *rows: list[float]) -> Candidates:
    features = np.array(rows, np.float32)
    positions = np.arange(len(rows), dtype=np.int32)
    return Candidates(positions, names, features, names, features, np.zeros(len(rows), np.float32))


class TestWeighted(RankerContract):
    def make(self, world: World) -> Ranker:
        return weighted(world, item_item=1.0, content=0.2, popular=-0.5)


class TestWeightedByOneFeature(RankerContract):
    def make(self, world: World) -> Ranker:
        return weighted(world, popular=1.0)


@pytest.fixture
def query() -> Query:
    return toy_world().query("da")


def test_scores_are_the_weighted_sum(query: Query) -> None:
    ranker = weighted(toy_world(), b=2.0, a=1.0, c=-0.5)
    asked = candidates(("a", "b", "c"), [1, 0, 0], [0.5, 0.25, 1], [0, 0, 0])
    assert ranker.score(query, asked).tolist() == [1, 0.5, 0]
    assert ranker.contributions(query, asked).tolist() == [[1, 0, 0], [0.5, 0.5, -0.5], [0, 0, 0]]


def test_a_feature_without_a_weight_counts_nothing(query: Query) -> None:
    asked = candidates(("a", "other"), [0.5, 1000.0])
    assert weighted(toy_world(), a=1.0).score(query, asked).tolist() == [0.5]


def test_a_weight_without_its_feature_counts_nothing(query: Query) -> None:
    asked = candidates(("a",), [0.5])
    assert weighted(toy_world(), a=1.0, missing=9.0).score(query, asked).tolist() == [0.5]


def test_one_ranker_serves_feeds_of_different_features(query: Query) -> None:
    ranker = weighted(toy_world(), a=1.0, b=10.0)
    for _ in range(2):
        assert ranker.score(query, candidates(("a", "b"), [1, 2])).tolist() == [21]
        assert ranker.score(query, candidates(("b", "a"), [1, 2])).tolist() == [12]
        assert ranker.score(query, replace(candidates(("b",), [3]), retrievers=("b",))).tolist() == [30]


def test_what_is_fixed_is_a_feature_of_the_feed() -> None:
    home = {**RECIPE["feeds"]["home"], "rank": {"weighted": {"weights": {"popular": 1.0}, "fixed": ["luck"]}}}
    declared = {**RECIPE, "feeds": {**RECIPE["feeds"], "home": home}}
    world = toy_world()
    with pytest.raises(RecipeError, match=r"feeds\.home\.rank\.weighted\.fixed\.luck: no such feature; expected"):
        build_feeds(parse_recipe(declared, "r"), world.resources)


def test_weights_are_required() -> None:
    with pytest.raises(ValueError, match="weights"):
        Weighted.Config(weights={})
