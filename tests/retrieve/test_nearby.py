"""Nearby: the nearest that may be shown, from wherever one asks, and how far in words."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError
from tests.places_sample import (
    DECLARED,
    FIELDS,
    PARIS,
    TOKYO,
    located_empty_world,
    located_requests,
    located_world,
)

from homefeed.errors import RecipeError
from homefeed.geo import Place
from homefeed.protocols import Retriever
from homefeed.retrieve.nearby import Nearby
from homefeed.testing import RetrieverContract, World, make_world, toy_world
from homefeed.types import Condition, Item, Query

CITIES = {**DECLARED, "items": {"fields": FIELDS | {"city": "category"}}}


def nearby(world: World, **config: Any) -> Nearby:
    return Nearby(Nearby.Config.model_validate(config), world.resources)


def found(world: World, retriever: Nearby, k: int = 10, place: Place | None = PARIS, **asked: Any) -> list[str]:
    return list(world.ids(retriever.retrieve(world.query(place=place, **asked), k)[0]))


def moved(item_id: str, number: int, place: Place | None, *, hidden: bool = False, **attributes: Any) -> Item:
    where = {} if place is None else {"location": place.to_json()}
    return Item(item_id, number, where | attributes, None, hidden)


class TestNearby(RetrieverContract):
    @pytest.fixture(autouse=True)
    def _declared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("homefeed.testing.retriever.empty_world", located_empty_world)
        monkeypatch.setattr("homefeed.testing.retriever.make_world", partial(make_world, declared=DECLARED))

    @pytest.fixture
    def world(self) -> World:
        return located_world()

    def make(self, world: World) -> Retriever:
        return nearby(world)

    def requests(self, world: World) -> dict[str, Query]:
        return super().requests(world) | located_requests(world)


def test_the_nearest_first_and_those_in_one_place_in_the_order_they_came() -> None:
    world = located_world()
    positions, scores = nearby(world).retrieve(world.query(place=PARIS), 10)
    assert world.ids(positions) == ("d1", "d2", "d3", "s1", "s2", "s3", "c1")
    assert scores[:3] == pytest.approx([1, 1 / 18.957, 1 / 344.92], rel=1e-3)
    assert found(world, nearby(world), 2, TOKYO) == ["s1", "s2"]


def test_without_a_place_nothing_is_near() -> None:
    world = located_world()
    retriever, nowhere = nearby(world), world.query("da")
    positions, scores = retriever.retrieve(nowhere, 10)
    assert len(positions) == len(scores) == 0
    assert retriever.reasons(nowhere, world.positions("d1", "x1")) == [None, None]


def test_filters_are_within_the_search() -> None:
    world = located_world()
    only_science_fiction = (Condition("genre", ":", "SciFi"),)
    assert found(world, nearby(world), 2, conditions=only_science_fiction) == ["s1", "s2"]
    assert found(world, nearby(world), exclude=("d1", "s1")) == ["d2", "d3", "s2", "s3", "c1"]
    assert found(world, nearby(world), radius_km=17) == ["d1"]
    assert found(world, nearby(world), radius_km=18) == ["d1", "d2"]


def test_nothing_beyond_max_km_is_proposed() -> None:
    world = located_world()
    assert found(world, nearby(world, max_km=17)) == ["d1"]
    assert found(world, nearby(world, max_km=344)) == ["d1", "d2", "d3"]


def test_it_goes_no_farther_than_until_there_are_enough() -> None:
    # From Paris d1 is 0 km away, d2 18, d3 344, all others 9,000 and more.
    world = located_world()
    retriever = nearby(world, start_km=10, enough=1)
    assert found(world, retriever, n=1) == ["d1"]
    assert found(world, retriever, n=2) == ["d1", "d2"], "within 20 km"
    assert found(world, retriever, n=3) == ["d1", "d2", "d3"], "within 640 km"
    assert found(world, nearby(world, start_km=344, enough=1), n=1) == ["d1", "d2", "d3"], (
        "all of the first radius"
    )
    assert found(world, nearby(world, start_km=10, enough=2), n=1) == ["d1", "d2"]
    assert found(world, nearby(world, start_km=10, enough=2), n=1, exclude=("d1",)) == ["d2", "d3"]
    assert len(found(world, retriever, n=8)) == 7, "there are no eight"
    assert len(found(world, nearby(world, enough=1), 2, n=3)) == 2, "no more than it is asked for"


def test_an_item_that_is_put_elsewhere_is_found_there_by_the_next_request() -> None:
    world = located_world()
    retriever = nearby(world)
    assert found(world, retriever, 1, TOKYO) == ["s1"]
    world.catalog.apply([moved("d1", 7, TOKYO), moved("new", 700, PARIS), moved("s1", 16, None)])
    assert found(world, retriever, 2, TOKYO) == ["d1", "s2"]
    assert found(world, retriever, 1, PARIS) == ["new"]
    assert retriever.reasons(world.query(place=TOKYO), world.positions("d1", "s1")) == [
        "Less than 1 km from you",
        None,
    ]
    retriever.refresh()
    assert found(world, retriever, 2, TOKYO) == ["d1", "s2"]


def test_what_is_hidden_is_gone_by_the_next_request_and_comes_back() -> None:
    world = located_world()
    retriever = nearby(world)
    world.catalog.apply([moved("d1", 7, PARIS, hidden=True)])
    assert found(world, retriever, 1) == ["d2"]
    world.catalog.apply([moved("d1", 7, PARIS)])
    assert found(world, retriever, 1) == ["d1"]


def test_reasons_say_how_far_and_where() -> None:
    places = {"a": (48.86, 2.35, "Paris"), "b": (48.8566, 2.3249, "paris"), "c": (51.5074, -0.1278, None)}
    items = [
        Item(name, n + 1, {"location": f"{north},{east}"} | ({} if city is None else {"city": city}), None)
        for n, (name, (north, east, city)) in enumerate(places.items())
    ]
    world = make_world([*items, Item("d", 9, {"city": "Rome"}, None)], (), declared=CITIES)
    asked, positions = world.query(place=PARIS), world.positions("a", "b", "c", "d")
    assert nearby(world).reasons(asked, positions) == [
        "Less than 1 km from you",
        "2 km from you",
        "344 km from you",
        None,
    ]
    assert nearby(world, place_name="city").reasons(asked, positions) == [
        "In Paris, less than 1 km from you",
        "In Paris, 2 km from you",
        "344 km from you",
        None,
    ]
    words = {"place_name": "city", "reason": "à {distance}", "reason_in": "{place} : {distance}"}
    assert nearby(world, **words).reasons(asked, positions)[1:3] == ["Paris : 2 km", "À 344 km"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"reason": "{city} is near"}, "'{city} is near' cannot be filled in; it may hold {distance}"),
        ({"reason": "{distance"}, "it may hold {distance}"),
        ({"reason": "{distance.km} away"}, "it may hold {distance}"),
        ({"reason_in": "{0}"}, "it may hold {distance} and {place}"),
        ({"reason": ""}, "a reason has words"),
        ({"max_km": 10, "start_km": 20}, "start_km is above max_km"),
        ({"max_km": 0}, "greater than 0"),
        ({"max_km": 20_101}, "less than or equal to 20100"),
    ],
)
def test_settings_that_cannot_be_used_are_refused_at_the_start(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Nearby.Config.model_validate(config)
    assert message in str(refused.value)


def test_a_recipe_without_such_a_field_is_refused() -> None:
    with pytest.raises(RecipeError, match='declare one: location = "location"'):
        nearby(toy_world())
    with pytest.raises(RecipeError, match=r'items\.fields\.title is declared as "text"; expected "location"'):
        nearby(located_world(), field="title")
    with pytest.raises(RecipeError, match=r"items\.fields\.city is not declared"):
        nearby(located_world(), place_name="city")


def test_it_counts_how_often_the_radius_has_to_double() -> None:
    world = located_world()
    retriever = nearby(world, start_km=10)

    def growths(k: int, place: Place | None = PARIS) -> int:
        before = retriever.work()["radius_growths"]
        retriever.retrieve(world.query(place=place), k)
        return retriever.work()["radius_growths"] - before

    assert growths(1) == 0
    assert growths(2) == 1, "17.96 km: 20"
    assert growths(3) == 6, "343.9 km: 640"
    assert growths(8) == 11, "there are no eight: 20,480"
    assert growths(3, None) == 0
    assert retriever.work() == {"searches": 4, "radius_growths": 18, "index_rebuilds": 1}
    retriever = nearby(world, start_km=10, enough=2)
    retriever.retrieve(world.query(place=PARIS, n=1), 7)
    assert retriever.work()["radius_growths"] == 1, "until there are two"
