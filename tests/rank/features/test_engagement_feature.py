"""Engagement: the contract's formula, every event counted, dislikes taken off, live."""

from __future__ import annotations

import math

import numpy as np
import pytest

from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.engagement import Engagement
from homefeed.testing import World, make_world, toy_item
from homefeed.testing.features import FeatureContract, everything
from homefeed.testing.world import NOW


def engagement(world: World) -> Engagement:
    return Engagement(Engagement.Config(), world.resources)


class TestEngagement(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return engagement(world)


def add(world: World, user: int, position: int, *strengths: float) -> None:
    count = len(strengths)
    world.counters.add(
        np.full(count, user, np.int32),
        np.full(count, position, np.int32),
        np.array(strengths, np.float32),
        np.full(count, NOW, np.int64),
    )


def test_the_logarithm_of_what_was_done_over_the_most() -> None:
    world = make_world([toy_item(place, f"i{place}", 1) for place in range(4)], ())
    extractor = engagement(world)
    # Two applications, a save and a view of one user; a click; a view and a dismissal; nothing.
    add(world, 1, 0, 10, 10, 5, 1)
    add(world, 2, 1, 2)
    add(world, 3, 2, 1, -5)
    extractor.refresh()
    found = extractor.extract(world.query(), everything(world))[:, 0].tolist()
    assert found == pytest.approx([1, math.log(3) / math.log(27), 0, 0])
    add(world, 2, 1, 50)
    extractor.refresh()
    found = extractor.extract(world.query(), everything(world))[:, 0].tolist()
    assert found == pytest.approx([math.log(27) / math.log(53), 1, 0, 0])


def test_where_nobody_did_anything_it_is_nothing() -> None:
    world = make_world([toy_item(0, "i", 1)], ())
    assert engagement(world).extract(world.query(), everything(world)).tolist() == [[0]]


def test_what_is_not_available_is_not_the_most() -> None:
    world = make_world([toy_item(0, "seen", 1), toy_item(1, "gone", 1, hidden=True)], ())
    add(world, 1, 0, 3)
    add(world, 1, 1, 300)
    assert engagement(world).extract(world.query(), everything(world))[:, 0].tolist() == [1, 1]


def test_groups_that_are_kept_apart_have_a_most_of_their_own(apart_world: World) -> None:
    north, south = apart_world.position("n"), apart_world.position("s")
    add(apart_world, 1, north, 3)
    add(apart_world, 2, south, 300)
    found = engagement(apart_world).extract(apart_world.query("u"), everything(apart_world))[:, 0]
    assert found[[north, south]].tolist() == [1, 1]


@pytest.fixture
def apart_world() -> World:
    from homefeed.testing.world import RECIPE

    fields = {**RECIPE["items"]["fields"], "town": "category"}
    declared = {
        **RECIPE,
        "items": {"fields": fields},
        "users": {"fields": {"town": "category"}},
        "isolation": {"item": "town", "user": "town"},
    }
    return make_world(
        [toy_item(0, "n", 1, town="north"), toy_item(1, "s", 1, town="south")], (), declared=declared
    )
