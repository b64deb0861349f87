"""Trending: decay, order and the sentence that must not outlive the trend."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.protocols import Retriever
from homefeed.retrieve.trending import Trending
from homefeed.testing import RetrieverContract, World, toy_world
from homefeed.testing.world import NOW, TRENDING
from homefeed.types import DAY


def trending(world: World, **config: float) -> Trending:
    return Trending(Trending.Config.model_validate(config), world.resources)


def play(world: World, item_id: str, days: float, strength: float = 1.0) -> None:
    world.choose(world.positions(item_id), strength, NOW + int(days * DAY))


class TestTrending(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return trending(world)


def test_the_order_everyone_agrees_on() -> None:
    world = toy_world()
    positions, scores = trending(world).retrieve(world.query(), 100)
    assert world.ids(positions) == TRENDING
    assert scores[0] == 1


def test_scores_are_decayed_strength_beside_the_strongest() -> None:
    world = toy_world()
    events = world.data.interactions
    decayed = np.zeros(world.catalog.size)
    for item, strength, time in zip(events.items, events.strengths, events.times, strict=True):
        decayed[item] += strength * 2.0 ** ((time - NOW) / DAY / 2)
    positions, scores = trending(world).retrieve(world.query(), 100)
    assert scores.tolist() == pytest.approx((decayed[positions] / decayed.max()).tolist(), rel=1e-5)


def test_time_alone_changes_no_order() -> None:
    world = toy_world()
    retriever = trending(world)
    now = retriever.retrieve(world.query(), 100)
    later = retriever.retrieve(world.query(now=NOW + 900 * DAY), 100)
    assert now[0].tolist() == later[0].tolist()


def test_fresh_plays_overtake_old_ones() -> None:
    world = toy_world()
    retriever = trending(world)
    play(world, "d3", 4)
    retriever.refresh()
    assert world.ids(retriever.retrieve(world.query(), 2)[0]) == ("d3", "c2")


def test_the_order_survives_a_rescaled_landmark() -> None:
    world = toy_world()
    retriever = trending(world)
    # 501 half-lives on: what was played until now has all but faded, but still stands in its order behind.
    play(world, "s1", 1_002)
    play(world, "s2", 1_001)
    retriever.refresh()
    assert world.counters.landmark == NOW + 1_002 * DAY
    positions, scores = retriever.retrieve(world.query(now=NOW + 1_002 * DAY), 100)
    assert world.ids(positions)[:2] == ("s1", "s2")
    assert world.ids(positions)[2:] == tuple(item for item in TRENDING if item not in ("s1", "s2"))
    assert scores[1] == pytest.approx(2**-0.5, rel=1e-5)
    assert (scores > 0).all()


def test_nothing_trends_before_the_first_event() -> None:
    world = toy_world()
    world.counters.trend[:] = 0
    assert len(trending(world).retrieve(world.query(), 10)[0]) == 0


def test_the_reason_is_given_while_enough_has_not_faded() -> None:
    world = toy_world()
    # c2 has 2.12 full watches left now, and 1.5 a day on; c1 has one play of two days ago: 0.5.
    retriever, asked = trending(world), world.positions("c2", "c1", "s4")
    assert retriever.reasons(world.query(), asked) == ["Trending now", None, None]
    assert retriever.reasons(world.query(now=NOW + DAY), asked) == [None, None, None]
    assert trending(world, min_strength=0.4).reasons(world.query(), asked) == [
        "Trending now",
        "Trending now",
        None,
    ]
    assert trending(world, min_strength=0.4).reasons(world.query(now=NOW + 9_000 * DAY), asked) == [None] * 3
