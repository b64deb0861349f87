"""Numbers of items as features: shares of the most that counts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.rank.features.feature_sample import columns_of

from homefeed.errors import RecipeError
from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.number import Number
from homefeed.testing import World, make_world, toy_item, toy_world
from homefeed.testing.features import FeatureContract

NUMBERS = (0, 2.5, 10, 99, 1e9, -4, None)
WORLD = make_world([toy_item(place, f"i{place}", 1, year=value) for place, value in enumerate(NUMBERS)], ())


def number(world: World, field: str = "year", **config: Any) -> Number:
    return Number(Number.Config.model_validate({"field": field, **config}), world.resources)


def shares(**config: Any) -> list[float]:
    return columns_of(number(WORLD, **config), WORLD, WORLD.query())["year"]


class TestNumber(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return number(world, max_value=2026, log=True)


def test_it_is_the_share_of_the_most() -> None:
    assert shares(max_value=10) == pytest.approx([0, 0.25, 1, 1, 1, 0, 0])
    assert shares() == [0, 1, 1, 1, 1, 0, 0]


def test_of_numbers_of_many_sizes_the_logarithm_counts() -> None:
    # ln 3.5 / ln 100 = 0.272, ln 11 / ln 100 = 0.521
    assert shares(max_value=99, log=True) == pytest.approx([0, 0.27203, 0.52070, 1, 1, 0, 0], abs=1e-5)


def test_what_is_not_known_counts_as_what_the_recipe_says() -> None:
    assert shares(max_value=10, unknown=5)[-1] == 0.5
    assert shares(max_value=10, unknown=50)[-1] == 1
    assert shares(max_value=99, log=True, unknown=9)[-1] == pytest.approx(math.log(10) / math.log(100))


def test_it_is_what_it_is_at_the_moment() -> None:
    world = toy_world()
    extractor, position = number(world, max_value=4_000), world.position("d1")
    assert columns_of(extractor, world, world.query())["year"][position] == np.float32(2019 / 4_000)
    world.catalog.apply([toy_item(0, "d1", 100, title="Harbour Lights", year=4_000)])
    assert columns_of(extractor, world, world.query())["year"][position] == 1


def test_a_field_that_is_no_number_is_refused() -> None:
    for field in ("title", "quality"):
        with pytest.raises(RecipeError, match='expected "number"'):
            number(toy_world(), field)
