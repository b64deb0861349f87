"""How near, and how much that means to whom."""

from __future__ import annotations

from typing import Any

import pytest
from tests.places_sample import DECLARED, PARIS, located_world
from tests.rank.features.feature_sample import LocatedFeatureContract, columns_of

from homefeed.errors import RecipeError
from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.local import Local
from homefeed.testing import World, make_world, toy_item, toy_world


def local(world: World, **config: Any) -> Local:
    return Local(Local.Config.model_validate(config), world.resources)


class TestLocal(LocatedFeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return local(world, strength="block")


ITEMS = [
    toy_item(0, "here", 1, location=PARIS.to_json()),
    toy_item(1, "versailles", 1, location=[48.8049, 2.1204]),  # 17.96 km from Paris
    toy_item(2, "nowhere", 1),
]
WORLD = make_world(ITEMS, (), declared=DECLARED)


def found(attributes: dict[str, Any], **config: Any) -> list[float]:
    query = WORLD.query("u", place=PARIS, attributes=attributes)
    return columns_of(local(WORLD, **config), WORLD, query)["local"]


def test_it_is_the_proximity_times_what_it_means_to_the_user() -> None:
    assert found({"likes": 0.5}, strength="likes") == pytest.approx([1.5, 1.5 / 18.96, 0], rel=1e-3)
    assert found({"likes": 0.5}) == pytest.approx([1, 1 / 18.96, 0], rel=1e-3)


@pytest.mark.parametrize(
    ("told", "times"), [("0.25", 1.25), (1, 2), (7, 2), (-1, 1), ("much", 1), (None, 1), (True, 1)]
)
def test_a_strength_is_a_number_within_bounds(told: Any, times: float) -> None:
    assert found({"likes": told}, strength="likes")[0] == pytest.approx(times)


def test_the_greatest_strength_can_be_set() -> None:
    assert found({"likes": 7}, strength="likes", max_strength=10)[0] == 8


def test_where_no_place_is_known_nothing_is_near() -> None:
    assert columns_of(local(WORLD), WORLD, WORLD.query())["local"] == [0, 0, 0]


def test_a_field_of_its_own_names_its_feature() -> None:
    assert local(located_world(), field="location").names == ("location_local",)


def test_items_without_a_location_field_are_refused() -> None:
    with pytest.raises(RecipeError, match='items have no field of the kind "location"'):
        local(toy_world())
