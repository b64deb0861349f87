"""Quality as a feature: a price for the poor, none for the good."""

from __future__ import annotations

import pytest

from homefeed.errors import RecipeError
from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.quality import Quality
from homefeed.testing import World, make_world, toy_item, toy_world
from homefeed.testing.features import FeatureContract, everything

QUALITIES = (0.0, 0.35, 0.63, 0.7, 1.0, 90.0, -4.0, None)
WORLD = make_world([toy_item(place, f"i{place}", 1, year=value) for place, value in enumerate(QUALITIES)], ())


def quality(world: World, field: str = "year", **config: float) -> Quality:
    return Quality(Quality.Config.model_validate({"field": field, **config}), world.resources)


class TestQuality(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return quality(world)


def test_it_is_the_formula() -> None:
    values = quality(WORLD).extract(WORLD.query(), everything(WORLD))[:, 0].tolist()
    assert values == pytest.approx([-1, -0.5, -0.1, 0, 0, 0, -1, -0.1 / 0.7], abs=1e-6)


def test_what_is_good_and_what_the_unknown_count_as_can_be_set() -> None:
    values = quality(WORLD, good=100, unknown=25).extract(WORLD.query(), everything(WORLD))[:, 0].tolist()
    assert values == pytest.approx([-1, -0.9965, -0.9937, -0.993, -0.99, -0.1, -1, -0.75], abs=1e-6)
    assert quality(WORLD, unknown=0.8).extract(WORLD.query(), everything(WORLD))[-1, 0] == 0


def test_a_field_that_is_no_number_is_refused() -> None:
    for field in ("title", "quality"):
        with pytest.raises(RecipeError, match='expected "number"'):
            quality(toy_world(), field)
