"""Ranks: where a candidate stands among the others by features found before."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from homefeed.engine import build_feeds
from homefeed.errors import RecipeError
from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.ranks import Ranks
from homefeed.recipe import parse_recipe
from homefeed.testing import World, toy_world
from homefeed.testing.features import FeatureContract
from homefeed.testing.world import RECIPE
from homefeed.types import Candidates


def ranks(world: World, *of: str) -> Ranks:
    return Ranks(Ranks.Config(of=of), world.resources)


class TestRanks(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return ranks(world, "popular", "recency")


def told(*of: str, rows: list[list[float]], names: tuple[str, ...] = ("popular", "recency")) -> list[list[float]]:
    """Of candidates of these features."""
    world, count = toy_world(), len(rows)
    candidates = Candidates(
        positions=np.arange(count, dtype=np.int32),
        retrievers=("popular",),
        retriever_scores=np.ones((count, 1), np.float32),
        feature_names=names,
        features=np.array(rows, np.float32),
        scores=np.zeros(count, np.float32),
    )
    found: list[list[float]] = ranks(world, *of).extract(world.query(), candidates).tolist()
    return found


def test_names_are_those_of_the_features() -> None:
    assert ranks(toy_world(), "popular", "recency").names == ("popular_place", "recency_place", "candidate_count")


def test_the_share_that_is_below_equals_counted_half() -> None:
    found = told("recency", "popular", rows=[[5, 0.1], [7, 0.2], [7, 0.4], [1, 0.3]])
    count = math.log(5) / 10
    assert found == [
        pytest.approx([1 / 8, 3 / 8, count]),
        pytest.approx([3 / 8, 3 / 4, count]),
        pytest.approx([7 / 8, 3 / 4, count]),
        pytest.approx([5 / 8, 1 / 8, count]),
    ]


def test_one_candidate_and_equals_stand_in_the_middle() -> None:
    assert told("popular", rows=[[3, 0]]) == [pytest.approx([0.5, math.log(2) / 10])]
    assert [row[0] for row in told("popular", rows=[[2, 1], [2, 5]])] == [0.5, 0.5]


def test_what_is_no_number_counts_as_nothing() -> None:
    assert [row[0] for row in told("popular", rows=[[float("nan"), 0], [-1, 0], [1, 0]])] == pytest.approx(
        [1 / 2, 1 / 6, 5 / 6]
    )


def feeds_with(features: dict[str, Any]) -> None:
    """Build the feeds of the toy recipe with other features."""
    home = {**RECIPE["feeds"]["home"], "features": features}
    recipe = parse_recipe({**RECIPE, "feeds": {**RECIPE["feeds"], "home": home}}, "a test")
    build_feeds(recipe, toy_world().resources)


def test_features_named_have_to_stand_before_it() -> None:
    ranked = {"of": ["popular", "popularity"]}
    feeds_with({"popularity": {}, "ranks": ranked})
    with pytest.raises(RecipeError, match=r"features\.ranks\.of\.popularity: no feature that stands before it"):
        feeds_with({"ranks": ranked, "popularity": {}})
    with pytest.raises(RecipeError, match=r"features\.ranks\.of\.ranks_place: no feature"):
        feeds_with({"ranks": {"of": ["ranks_place"]}})
