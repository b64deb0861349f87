"""Fresh: the window, its edges, and how long ago in words."""

from __future__ import annotations

import math

import pytest

from homefeed.protocols import Retriever
from homefeed.retrieve.fresh import Fresh
from homefeed.testing import RetrieverContract, World, make_world, toy_world
from homefeed.testing.world import FRESH, NOW
from homefeed.types import DAY, Item


def fresh(world: World, **config: float) -> Fresh:
    return Fresh(Fresh.Config.model_validate(config), world.resources)


def dated(*days_old: float | None) -> World:
    """A world of items i0, i1, ... of those ages."""
    ages = (None if days is None else NOW - int(days * DAY) for days in days_old)
    return make_world([Item(f"i{n}", 40 + n, {}, created) for n, created in enumerate(ages)], ())


def found(world: World, retriever: Fresh, k: int = 100, now: int = NOW) -> tuple[str, ...]:
    return world.ids(retriever.retrieve(world.query(now=now), k)[0])


class TestFresh(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return fresh(world)


def test_the_order_everyone_agrees_on() -> None:
    world = toy_world()
    positions, scores = fresh(world).retrieve(world.query(), 100)
    assert world.ids(positions) == FRESH
    assert scores.tolist() == pytest.approx([math.exp(-days / 14) for days in (0.125, 1.25, 10)], rel=1e-5)


def test_the_window_includes_both_its_ends() -> None:
    world = dated(0, 14, 14, 14.000001, 15, -0.000001, -3, None)
    assert found(world, fresh(world)) == ("i0", "i2", "i1")


def test_items_of_no_known_age_are_not_new() -> None:
    world = dated(None, None)
    retriever = fresh(world, max_age_days=1e9)
    assert found(world, retriever) == ()
    assert retriever.reasons(world.query(), world.positions("i0")) == [None]


def test_an_item_becomes_new_when_its_time_comes() -> None:
    world = dated(-2, 1)
    retriever = fresh(world)
    assert found(world, retriever) == ("i1",)
    assert found(world, retriever, now=NOW + 3 * DAY) == ("i0", "i1")
    assert found(world, retriever, now=NOW + 14 * DAY) == ("i0",)


def test_fewer_than_k_young_ones_are_not_filled_up_with_old_ones() -> None:
    world = dated(*range(40))
    assert len(found(world, fresh(world, max_age_days=9.5))) == 10
    assert found(world, fresh(world, max_age_days=9.5), k=3) == ("i0", "i1", "i2")


def test_items_to_come_take_no_place() -> None:
    world = dated(*[-1] * 500, 3)
    assert found(world, fresh(world), k=1) == ("i500",)


def test_a_changed_date_counts_once_refreshed() -> None:
    world = toy_world()
    retriever = fresh(world)
    assert found(world, retriever) == FRESH
    world.catalog.apply([Item("x1", 7 + 33, {}, NOW - DAY)])
    retriever.refresh()
    assert found(world, retriever) == ("d4", "x1", "s4", "c2")


def test_the_reason_says_how_long_ago() -> None:
    world = dated(0, 0.9, 1, 1.9, 2, 13.99, 14.01, -1, None)
    reasons = fresh(world).reasons(world.query(), world.positions(*(f"i{n}" for n in range(9))))
    ages = ["today", "today", "yesterday", "yesterday", "2 days ago", "13 days ago"]
    assert reasons == [*(f"New: added {age}" for age in ages), None, None, None]
