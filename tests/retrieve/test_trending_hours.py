"""Trending by hours: to the hour, dislikes taken off, as many hours as are asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from homefeed.catalog.hourly import HOUR
from homefeed.errors import InvalidError
from homefeed.protocols import Retriever
from homefeed.retrieve.trending_hours import TrendingHours
from homefeed.testing import RetrieverContract, World, make_world, toy_item, toy_world
from homefeed.testing.world import NOW

WORLD = make_world([toy_item(place, f"i{place}", 30) for place in range(4)], ())


def trending(world: World, **config: Any) -> TrendingHours:
    return TrendingHours(TrendingHours.Config.model_validate(config), world.resources)


def play(world: World, item_id: str, hours: float, strength: float = 1.0) -> None:
    world.counters.add(
        np.array([1], np.int32),
        world.positions(item_id),
        np.array([strength], np.float32),
        np.array([NOW - int(hours * HOUR)], np.int64),
    )


class TestTrendingHours(RetrieverContract):
    def make(self, world: World) -> Retriever:
        for item_id in ("d1", "c2", "c2", "s1"):
            if world.catalog.position(item_id) is not None:
                play(world, item_id, 0.5)
        return trending(world)


@pytest.fixture
def world() -> World:
    world = make_world([toy_item(place, f"i{place}", 30) for place in range(4)], ())
    play(world, "i0", 30, 100)
    play(world, "i1", 2.5, 3)
    play(world, "i2", 0.5, 1)
    play(world, "i2", 1.5, 4)
    play(world, "i3", 0.5, -5)
    return world


def test_only_the_last_hours_count(world: World) -> None:
    positions, scores = trending(world).retrieve(world.query(), 10)
    assert dict(zip(world.ids(positions), scores.tolist(), strict=True)) == {"i2": 5, "i1": 3}
    positions, scores = trending(world, hours=48).retrieve(world.query(), 1)
    assert (world.ids(positions), scores.tolist()) == (("i0",), [100])


def test_the_request_tells_how_many(world: World) -> None:
    retriever = trending(world, hours_key="hours")
    query = replace(world.query(), context={"hours": "1"})
    positions, scores = retriever.retrieve(query, 10)
    assert dict(zip(world.ids(positions), scores.tolist(), strict=True)) == {"i2": 1}
    reasons = trending(world, hours_key="hours", min_strength=1).reasons(query, positions)
    assert reasons == ["Trending: people reacted in the last 1 hours"]
    assert retriever.reasons(query, positions) == [None]
    for wrong in ("0", "169", "many"):
        with pytest.raises(InvalidError, match="hours: expected 1 to 168 hours"):
            retriever.retrieve(replace(world.query(), context={"hours": wrong}), 10)


def test_a_quiet_app_has_no_trend() -> None:
    world = toy_world()
    world.counters.hourly.restore(np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0))
    assert not len(trending(world).retrieve(world.query(), 5)[0])
