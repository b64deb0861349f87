"""What the request itself asks for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.places_sample import PARIS, PLACES, TOKYO, located_world

from homefeed.errors import InvalidError
from homefeed.policy.request import Request
from homefeed.protocols import Filter
from homefeed.testing import FilterContract, World, toy_world
from homefeed.testing.world import ITEMS
from homefeed.types import Condition, Query

WORLD = toy_world()


def passed(query: Query) -> set[str]:
    mask = Request(Request.Config(), WORLD.resources).filter(query)
    return {item.item_id for item in ITEMS if mask[WORLD.position(item.item_id)]}


class TestRequest(FilterContract):
    def make(self, world: World) -> Filter:
        return Request(Request.Config(), world.resources)


def test_only_what_is_within_the_radius_passes() -> None:
    world = located_world()
    radius = Request(Request.Config(), world.resources)

    def near(**more: Any) -> set[str]:
        return set(world.ids(np.flatnonzero(radius.filter(world.query(**more))).astype(np.int32)))

    assert near(place=PARIS, radius_km=20) == {"d1", "d2"}
    assert near(place=PARIS, radius_km=20, conditions=(Condition("year", ">", "2019"),)) == {"d2"}
    assert near(place=PARIS, radius_km=20_100) == set(PLACES)
    assert near(place=PARIS) == EVERYTHING


def test_a_condition_asks_for_what_is_near() -> None:
    world = located_world()
    part = Request(Request.Config(), world.resources)

    def near(value: str, **more: Any) -> set[str]:
        query = world.query(conditions=(Condition("within_km", ":", value),), **more)
        return set(world.ids(np.flatnonzero(part.filter(query)).astype(np.int32)))

    assert near("20", place=PARIS) == {"d1", "d2"}
    assert near("48.8566,2.3522,17") == {"d1"}
    assert near("48.8566,2.3522,18", place=TOKYO) == {"d1", "d2"}
    assert near("51.5074,-0.1278,350", place=PARIS, radius_km=20) == {"d1", "d2"}
    for wrong in ("", "0", "-1", "far", "48.8,20", "20101", "nan"):
        with pytest.raises(InvalidError, match=r"within_km"):
            near(wrong, place=PARIS)
    with pytest.raises(InvalidError, match="latitude"):
        near("95,2.35,20")
    with pytest.raises(InvalidError, match="around which place is not known"):
        near("20")
    for operator in ("!=", "<"):
        with pytest.raises(InvalidError, match="expected within_km:KM"):
            part.filter(world.query(place=PARIS, conditions=(Condition("within_km", operator, "20"),)))
    with pytest.raises(InvalidError, match="items have no location"):
        passed(WORLD.query(conditions=(Condition("within_km", ":", "20"),)))


EVERYTHING = {item.item_id for item in ITEMS}


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ((), EVERYTHING),
        ((Condition("genre", ":", "drama"),), {"d1", "d2", "d3", "d4", "h1"}),
        ((Condition("genre", ":", "Romance"),), {"d2"}),
        ((Condition("genre", ":", "Opera"),), set()),
        ((Condition("content_type", ":", "MOVIE"),), {"d3", "s1", "s2", "s4"}),
        ((Condition("content_type", ":", "movie"), Condition("year", ">=", "2021")), {"d3", "s2", "s4"}),
        ((Condition("year", ">", "2019"), Condition("year", "<", "2022")), {"d2", "d3", "h1"}),
        ((Condition("title", ":", "Laugh Track"),), {"c1"}),
    ],
)
def test_every_filter_must_hold(conditions: tuple[Condition, ...], expected: set[str]) -> None:
    assert passed(WORLD.query(conditions=conditions)) == expected


def test_exclusions_and_the_anchor_are_left_out() -> None:
    assert passed(WORLD.query(exclude=("d1", "s1", "d1"))) == EVERYTHING - {"d1", "s1"}
    assert passed(WORLD.query(anchor="d2", exclude=("c1",))) == EVERYTHING - {"d2", "c1"}


@pytest.mark.parametrize(
    "condition", [Condition("plot", ":", "x"), Condition("genre", ">=", "Drama"), Condition("year", ":", "soon")]
)
def test_a_filter_that_makes_no_sense_is_the_callers_error(condition: Condition) -> None:
    with pytest.raises(InvalidError, match=condition.field):
        WORLD.query(conditions=(condition,))
