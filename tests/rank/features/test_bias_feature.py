"""Bias: the same for everyone."""

from __future__ import annotations

from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.bias import Bias
from homefeed.testing import World, toy_world
from homefeed.testing.features import FeatureContract, everything


class TestBias(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return Bias(Bias.Config(), world.resources)


def test_it_is_one() -> None:
    world = toy_world()
    found = Bias(Bias.Config(), world.resources).extract(world.query(), everything(world))
    assert found.tolist() == [[1.0]] * world.catalog.size
