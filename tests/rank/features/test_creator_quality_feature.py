"""Creator quality: the Bayesian mean by hand, what is not rated, ratings out of range."""

from __future__ import annotations

from typing import Any

import pytest

from homefeed.errors import RecipeError
from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.creator_quality import CreatorQuality
from homefeed.testing import World, make_world, toy_item, toy_world
from homefeed.testing.features import FeatureContract, everything
from homefeed.testing.world import RECIPE

FIELDS = RECIPE["items"]["fields"] | {"rating": "number", "deals": "number"}
DECLARED = {**RECIPE, "items": {"fields": FIELDS}}


def quality(world: World, **config: Any) -> CreatorQuality:
    given = {"rating": "rating", "count": "deals", **config}
    return CreatorQuality(CreatorQuality.Config.model_validate(given), world.resources)


class TestCreatorQuality(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return quality(world, rating="year", count="year")


def test_it_is_shrunk_to_the_mean_by_what_was_completed() -> None:
    rated = ((5, 10), (3, 0), (4, 40), (None, 99))
    items = [
        toy_item(place, f"i{place}", 1, rating=rating, deals=deals) for place, (rating, deals) in enumerate(rated)
    ]
    world = make_world(items, (), declared=DECLARED)
    # The mean of 5, 3 and 4 is 4: (10 x 5 + 10 x 4) / 20, 4, (40 x 4 + 10 x 4) / 50, 4; over 5.
    found = quality(world).extract(world.query(), everything(world))[:, 0].tolist()
    assert found == pytest.approx([0.9, 0.8, 0.8, 0.8])
    found = quality(world, prior_count=90).extract(world.query(), everything(world))[:, 0].tolist()
    assert found[0] == pytest.approx((10 * 5 + 90 * 4) / 100 / 5)


def test_nothing_rated_is_the_middle_and_ratings_end_at_the_best() -> None:
    world = make_world([toy_item(0, "i", 1)], (), declared=DECLARED)
    assert quality(world).extract(world.query(), everything(world)).tolist() == [[0.5]]
    world = make_world([toy_item(0, "i", 1, rating=9, deals=-3)], (), declared=DECLARED)
    assert quality(world).extract(world.query(), everything(world)).tolist() == [[1]]


def test_fields_have_to_be_numbers() -> None:
    with pytest.raises(RecipeError, match="rating"):
        quality(toy_world())
