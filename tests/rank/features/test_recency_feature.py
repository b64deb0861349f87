"""Recency: the half-life, no date, dates to come."""

from __future__ import annotations

import math

import pytest

from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.recency import Recency
from homefeed.testing import World, make_world, toy_item
from homefeed.testing.features import FeatureContract, everything
from homefeed.testing.world import NOW
from homefeed.types import DAY


def recency(world: World, **config: float) -> Recency:
    return Recency(Recency.Config.model_validate(config), world.resources)


class TestRecency(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return recency(world)


AGES = (0, 3, 6, 1.5, 30_000, None, -1)
WORLD = make_world([toy_item(place, f"i{place}", age) for place, age in enumerate(AGES)], ())


def test_an_item_is_half_as_new_every_half_life() -> None:
    values = recency(WORLD).extract(WORLD.query(), everything(WORLD))[:, 0].tolist()
    assert values == pytest.approx([1, 0.5, 0.25, 2**-0.5, 0, 0, 1])
    faster = recency(WORLD, half_life_days=1.5).extract(WORLD.query(), everything(WORLD))[:, 0].tolist()
    assert faster == pytest.approx([1, 0.25, 0.0625, 0.5, 0, 0, 1])


def test_the_time_is_that_of_the_request() -> None:
    later = WORLD.query(now=NOW + 2 * DAY)
    values = recency(WORLD, half_life_days=1).extract(later, everything(WORLD))[:, 0].tolist()
    assert values == pytest.approx([2**-2, 2**-5, 2**-8, 2**-3.5, 0, 0, 0.5])


def test_a_new_item_has_a_boost_and_no_more_than_one() -> None:
    ages = (0, 0.5, 0.999, 1.0, 5.0, None)
    world = make_world([toy_item(place, f"i{place}", age) for place, age in enumerate(ages)], ())
    boosted = recency(world, half_life_days=1, boost=1.5).extract(world.query(), everything(world))[:, 0].tolist()
    assert boosted == pytest.approx([1, 1, 1.5 * 2**-0.999, 0.5, 2**-5, 0], abs=1e-6)
    # The contract's e^(-age / 10).
    plain = recency(world, half_life_days=6.931471805599453).extract(world.query(), everything(world))[4, 0]
    assert plain == pytest.approx(math.exp(-0.5))
