"""Popularity: beside the others of the request."""

from __future__ import annotations

import math

import pytest

from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.popularity import Popularity
from homefeed.testing import World, toy_world
from homefeed.testing.features import FeatureContract, everything


def popularity(world: World) -> Popularity:
    return Popularity(Popularity.Config(), world.resources)


class TestPopularity(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return popularity(world)


def values(world: World, *item_ids: str) -> list[float]:
    candidates = everything(world).take(world.positions(*item_ids).astype(int))
    found: list[float] = popularity(world).extract(world.query(), candidates)[:, 0].tolist()
    return found


def test_it_is_the_formula() -> None:
    # Plays: d1 five, s1 four, d2 three, s4 none.
    expected = [1, math.log(5) / math.log(6), math.log(4) / math.log(6), 0]
    assert values(toy_world(), "d1", "s1", "d2", "s4") == pytest.approx(expected)


def test_the_most_is_that_of_the_candidates() -> None:
    assert values(toy_world(), "d2", "s4") == pytest.approx([1, 0])


def test_without_events_all_have_none() -> None:
    assert values(toy_world(), "s4", "d4") == [0, 0]
