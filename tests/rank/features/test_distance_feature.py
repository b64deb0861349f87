"""Distance: how far, how near, and whether that is known."""

from __future__ import annotations

from typing import Any

import pytest
from tests.places_sample import DECLARED, PARIS, located_world
from tests.rank.features.feature_sample import LocatedFeatureContract, columns_of

from homefeed.errors import RecipeError
from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.distance import Distance
from homefeed.testing import World, make_world, toy_item, toy_world


def distance(world: World, **config: Any) -> Distance:
    return Distance(Distance.Config.model_validate(config), world.resources)


class TestDistance(LocatedFeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return distance(world)


ITEMS = [
    toy_item(0, "here", 1, location=PARIS.to_json()),
    toy_item(1, "quarter", 1, location=[0, 10]),
    toy_item(2, "degree", 1, location=[90, 0]),
    toy_item(3, "nowhere", 1),
]


def test_it_is_the_geodesic_and_what_is_made_of_it() -> None:
    world = make_world(ITEMS, (), declared=DECLARED)
    extractor = distance(world)
    found = columns_of(extractor, world, world.query(place=PARIS))
    # From Paris: to 0 N 10 E 5,463.4 km, to the north pole 4,588.3 km.
    assert found["distance_km"] == pytest.approx([0, 5_463.4, 4_588.3, 20_100], rel=1e-4)
    assert found["proximity"] == pytest.approx([1, 1 / 5_464.4, 1 / 4_589.3, 0], rel=1e-4)
    assert found["distance_unknown"] == [0, 0, 0, 1]


def test_where_no_place_is_known_nothing_is_near() -> None:
    world = make_world(ITEMS[:1], (), declared=DECLARED)
    found = columns_of(distance(world, unknown_km=500), world, world.query())
    assert found == {"distance_km": [500], "proximity": [0], "distance_unknown": [1]}


def test_a_field_of_its_own_names_its_features() -> None:
    assert distance(located_world(), field="location").names == (
        "location_distance_km",
        "location_proximity",
        "location_distance_unknown",
    )


def test_items_without_a_location_field_are_refused() -> None:
    with pytest.raises(RecipeError, match='items have no field of the kind "location"'):
        distance(toy_world())
    with pytest.raises(RecipeError, match='year is declared as "number"; expected "location"'):
        distance(toy_world(), field="year")
