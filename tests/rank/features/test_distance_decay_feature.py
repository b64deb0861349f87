"""Distance decay: the contract's formula by hand, whose reach counts, what is nowhere."""

from __future__ import annotations

import math
from typing import Any

import pytest
from tests.places_sample import DECLARED, PARIS, located_world
from tests.rank.features.feature_sample import LocatedFeatureContract, columns_of

from homefeed.geo import Place
from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.distance_decay import DistanceDecay
from homefeed.testing import World, make_world, toy_item


def decay(world: World, **config: Any) -> DistanceDecay:
    return DistanceDecay(DistanceDecay.Config.model_validate(config), world.resources)


class TestDistanceDecay(LocatedFeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return decay(world)


ITEMS = [
    toy_item(0, "here", 1, location=[0, 179.9]),
    toy_item(1, "across", 1, location=[0, -179.9]),
    toy_item(2, "pole", 1, location=[90, 0]),
    toy_item(3, "nowhere", 1),
]
WORLD = make_world(ITEMS, (), declared=DECLARED)
DEGREE = math.pi / 180 * 6_371


def test_it_falls_by_e_three_times_within_the_reach() -> None:
    query = WORLD.query(place=Place(0, 179.9))
    found = columns_of(decay(WORLD, reach_km=3 * DEGREE), WORLD, query)["distance_decay"]
    # A fifth of a degree across the antimeridian, ninety to the pole, on a sphere of 6,371 km.
    assert found == pytest.approx([1, math.exp(-0.2), math.exp(-90), 0], rel=1e-5)


def test_the_own_reach_counts_and_what_is_none_does_not() -> None:
    extractor = decay(WORLD, reach_km=3 * DEGREE, user_field="max_distance_km")
    for told, expected in ((6 * DEGREE, -0.1), (str(6 * DEGREE), -0.1), (0, -0.2), ("far", -0.2), (None, -0.2)):
        query = WORLD.query("u", attributes={"max_distance_km": told}, place=Place(0, 179.9))
        assert columns_of(extractor, WORLD, query)["distance_decay"][1] == pytest.approx(math.exp(expected))


def test_where_no_place_is_known_nothing_is_near() -> None:
    assert columns_of(decay(WORLD), WORLD, WORLD.query()) == {"distance_decay": [0, 0, 0, 0]}
    assert decay(located_world(), field="location").names == ("location_distance_decay",)
    assert columns_of(decay(located_world()), located_world(), located_world().query(place=PARIS))[
        "distance_decay"
    ][0] == pytest.approx(1)
