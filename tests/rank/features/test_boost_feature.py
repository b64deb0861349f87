"""Boost: what operators say, within bounds."""

from __future__ import annotations

import pytest

from homefeed.errors import RecipeError
from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.boost import Boost
from homefeed.testing import World, make_world, toy_item, toy_world
from homefeed.testing.features import FeatureContract, everything


def boost(world: World, field: str = "year") -> Boost:
    return Boost(Boost.Config(field=field), world.resources)


class TestBoost(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return boost(world)


def test_it_is_the_items_number_within_bounds() -> None:
    boosts = (0.5, -0.25, 7, -7, 0, None)
    world = make_world([toy_item(place, f"i{place}", 1, year=value) for place, value in enumerate(boosts)], ())
    found = boost(world).extract(world.query(), everything(world))[:, 0].tolist()
    assert found == pytest.approx([0.5, -0.25, 1, -1, 0, 0])


def test_a_field_that_is_no_number_is_refused() -> None:
    for field in ("title", "boost"):
        with pytest.raises(RecipeError, match='expected "number"'):
            boost(toy_world(), field)
