"""What is not too far."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.places_sample import DECLARED, PARIS, TOKYO, located_empty_world, located_requests, located_world

from homefeed.geo import Place, distance_km
from homefeed.policy.within_km import WithinKm
from homefeed.protocols import Filter, FilterExplainer, PersonalFilter
from homefeed.testing import FilterContract, World, make_world
from homefeed.testing.requests import toy_requests
from homefeed.types import Item, Query


def within(world: World, **config: Any) -> WithinKm:
    return WithinKm(WithinKm.Config.model_validate({"km": 50} | config), world.resources)


def passing(world: World, query: Query, **config: Any) -> set[str]:
    mask = within(world, **config).filter(query)
    return set(world.ids(np.flatnonzero(mask).astype(np.int32)))


class TestWithinKm(FilterContract):
    @pytest.fixture(autouse=True)
    def _declared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("homefeed.testing.filter.empty_world", located_empty_world)

    @pytest.fixture
    def world(self) -> World:
        return located_world()

    def make(self, world: World) -> Filter:
        return within(world, user_field="max_distance_km")

    def requests(self, world: World) -> dict[str, Query]:
        return toy_requests(world) | located_requests(world)


WORLD = located_world()
NOWHERE = {"c2", "s4", "d4", "h1", "x1"}


def test_what_is_near_enough_passes() -> None:
    query = WORLD.query(place=PARIS)
    assert passing(WORLD, query) == {"d1", "d2"}
    assert passing(WORLD, query, km=17.9) == {"d1"}
    assert passing(WORLD, query, km=400) == {"d1", "d2", "d3"}
    assert passing(WORLD, WORLD.query(place=TOKYO)) == {"s1", "s2", "s3"}


def test_items_without_a_place_pass_where_the_recipe_says_so() -> None:
    assert passing(WORLD, WORLD.query(place=PARIS), keep_unknown=True) == {"d1", "d2"} | NOWHERE


def test_everything_passes_where_no_place_is_known() -> None:
    part = within(WORLD)
    assert part.filter(WORLD.query()).all()
    assert isinstance(part, PersonalFilter)
    assert not part.concerns(WORLD.query())
    assert part.concerns(WORLD.query(place=PARIS))


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        (400, {"d1", "d2", "d3"}),
        ("1.5", {"d1"}),
        *((bad, {"d1", "d2"}) for bad in (None, 0, -3, "far", True, [5], float("nan"), float("inf"), 10**400)),
    ],
)
def test_the_users_own_maximum_counts_where_they_have_one(own: Any, expected: set[str]) -> None:
    query = WORLD.query(place=PARIS, attributes={"max_distance_km": own})
    assert passing(WORLD, query, user_field="max_distance_km") == expected
    assert passing(WORLD, query) == {"d1", "d2"}


def test_it_holds_across_the_antimeridian_and_at_a_pole() -> None:
    places = [Place(0, 179.9), Place(0, -179.9), Place(89.9, 0), Place(89.9, 180), Place(0, 179)]
    items = [Item(f"i{n}", n, {"location": place.to_json()}, None) for n, place in enumerate(places)]
    world = make_world(items, (), declared=DECLARED)
    assert passing(world, world.query(place=Place(0, 180))) == {"i0", "i1"}
    assert passing(world, world.query(place=Place(90, 77))) == {"i2", "i3"}


def test_why_names_both_distances() -> None:
    part, query = within(WORLD, km=50), WORLD.query(place=PARIS)
    assert isinstance(part, FilterExplainer)
    assert part.why(query, WORLD.position("d3")) == "344 km away, farther than 50 km"
    assert part.why(query, WORLD.position("x1")) == "where it is is not known"
    away = distance_km(PARIS, Place(48.8049, 2.1204))
    assert (
        within(WORLD, km=away - 0.001).why(query, WORLD.position("d2"))
        == f"{away:.3f} km away, farther than 18 km"
    )


def test_a_lenient_limit_holds_where_something_is_that_near() -> None:
    asked = {"km": 50, "user_field": "reach", "lenient": True}
    assert passing(WORLD, WORLD.query(place=PARIS), **asked) == {"d1", "d2"}
    nobody = Place(0, -30)
    everything = passing(WORLD, WORLD.query())
    assert passing(WORLD, WORLD.query(place=nobody), **asked) == everything
    assert passing(WORLD, WORLD.query("u", attributes={"reach": 50}, place=nobody), **asked) == set()
