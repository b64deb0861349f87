"""Popular: the formula, the order, the sentence."""

from __future__ import annotations

import math

import numpy as np
import pytest

from homefeed.protocols import Retriever
from homefeed.retrieve.popular import Popular
from homefeed.testing import RetrieverContract, World, toy_world
from homefeed.testing.world import POPULAR
from homefeed.types import Item


def popular(world: World, **config: float) -> Popular:
    return Popular(Popular.Config.model_validate(config), world.resources)


class TestPopular(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return popular(world)


def test_the_order_everyone_agrees_on() -> None:
    world = toy_world()
    positions, _ = popular(world).retrieve(world.query(), 100)
    assert world.ids(positions) == POPULAR


def test_scores_are_the_formula() -> None:
    world = toy_world()
    positions, scores = popular(world, events_weight=2.0, strength_weight=0.5).retrieve(world.query(), 100)
    by_id = dict(zip(world.ids(positions), scores.tolist(), strict=True))
    # s2: three plays, two of them full and one half; nobody played s4.
    assert by_id["s2"] == pytest.approx(2 * math.log(4) + 0.5 * math.log(3.5), rel=1e-5)
    assert by_id["d1"] == pytest.approx(2 * math.log(6) + 0.5 * math.log(6), rel=1e-5)
    assert by_id["s4"] == pytest.approx(1e-6)


def test_abandoned_plays_alone_make_nothing_popular() -> None:
    world = toy_world()
    s4 = world.positions("s4")
    world.choose(np.repeat(s4, 9), 0.0)
    assert world.ids(popular(world, strength_weight=0.0).retrieve(world.query(), 1)[0]) == ("s4",)
    assert world.ids(popular(world, events_weight=0.0).retrieve(world.query(), 1)[0]) == ("d1",)
    # ln 10 for the plays and nothing for the watching, beside twice ln 6 and twice ln 5.
    assert world.ids(popular(world).retrieve(world.query(), 2)[0]) == ("d1", "s1")


def test_an_event_moves_an_item_once_refreshed() -> None:
    world = toy_world()
    retriever = popular(world)
    retriever.retrieve(world.query(), 1)
    world.choose(np.repeat(world.positions("s4"), 9))
    assert world.ids(retriever.retrieve(world.query(), 1)[0]) == ("d1",)
    retriever.refresh()
    assert world.ids(retriever.retrieve(world.query(), 1)[0]) == ("s4",)


def test_a_new_item_is_proposed_once_refreshed() -> None:
    world = toy_world()
    retriever = popular(world)
    retriever.refresh()
    world.catalog.apply([Item("new", 500, {}, None)])
    retriever.refresh()
    # Newest first among those that nobody played.
    assert world.ids(retriever.retrieve(world.query(), 100)[0])[8:] == ("new", "x1", "d4", "s4")


def test_refreshing_without_a_change_sorts_nothing() -> None:
    world = toy_world()
    retriever = popular(world)
    retriever.refresh()
    before = retriever._ranking
    retriever.refresh()
    assert retriever._ranking is before


def test_the_reason_counts_the_plays() -> None:
    world = toy_world()
    retriever = popular(world)
    assert retriever.reasons(world.query(), world.positions("d1", "s4")) == [
        "Popular: chosen by 5 users",
        "Not chosen by many yet",
    ]
    d1 = world.positions("d1")
    world.choose(np.repeat(d1, 1_229))
    assert retriever.reasons(world.query(), d1) == ["Popular: chosen by 1,234 users"]


def test_what_one_person_did_is_not_told_to_others() -> None:
    world = toy_world()
    never = world.positions("s4")
    before = popular(world).reasons(world.query(), never)
    world.choose(never)
    assert popular(world).reasons(world.query(), never) == before == ["Not chosen by many yet"]
    world.choose(never)
    assert popular(world).reasons(world.query(), never) == ["Popular: chosen by 2 users"]
