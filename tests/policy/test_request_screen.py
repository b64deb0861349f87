"""What the request itself asks for."""

from __future__ import annotations

import pytest

from homefeed.errors import InvalidError
from homefeed.policy.request import Request
from homefeed.protocols import Screen
from homefeed.testing import ScreenContract, World, toy_world
from homefeed.testing.world import ITEMS
from homefeed.types import Filter, Query

WORLD = toy_world()


def passed(query: Query) -> set[str]:
    mask = Request(Request.Config(), WORLD.resources).screen(query)
    return {item.item_id for item in ITEMS if mask[WORLD.position(item.item_id)]}


class TestRequest(ScreenContract):
    def make(self, world: World) -> Screen:
        return Request(Request.Config(), world.resources)


EVERYTHING = {item.item_id for item in ITEMS}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ((), EVERYTHING),
        ((Filter("genre", ":", "drama"),), {"d1", "d2", "d3", "d4", "h1"}),
        ((Filter("genre", ":", "Romance"),), {"d2"}),
        ((Filter("genre", ":", "Opera"),), set()),
        ((Filter("content_type", ":", "MOVIE"),), {"d3", "s1", "s2", "s4"}),
        ((Filter("content_type", ":", "movie"), Filter("year", ">=", "2021")), {"d3", "s2", "s4"}),
        ((Filter("year", ">", "2019"), Filter("year", "<", "2022")), {"d2", "d3", "h1"}),
        ((Filter("title", ":", "Laugh Track"),), {"c1"}),
    ],
)
def test_every_filter_must_hold(filters: tuple[Filter, ...], expected: set[str]) -> None:
    assert passed(WORLD.query(filters=filters)) == expected


def test_exclusions_and_the_anchor_are_left_out() -> None:
    assert passed(WORLD.query(exclude=("d1", "s1", "d1"))) == EVERYTHING - {"d1", "s1"}
    assert passed(WORLD.query(anchor="d2", exclude=("c1",))) == EVERYTHING - {"d2", "c1"}


@pytest.mark.parametrize(
    "condition", [Filter("plot", ":", "x"), Filter("genre", ">=", "Drama"), Filter("year", ":", "soon")]
)
def test_a_filter_that_makes_no_sense_is_the_callers_error(condition: Filter) -> None:
    with pytest.raises(InvalidError, match=condition.field):
        WORLD.query(filters=(condition,))
