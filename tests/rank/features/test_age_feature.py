"""Age: orders of magnitude of days, no date, dates to come."""

from __future__ import annotations

import math

import pytest
from tests.rank.features.feature_sample import columns_of

from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.age import Age
from homefeed.testing import World, make_world, toy_item
from homefeed.testing.features import FeatureContract
from homefeed.testing.world import NOW
from homefeed.types import DAY

AGES = (0, 1, 30, 3_650, 20_000, None, -1)
WORLD = make_world([toy_item(place, f"i{place}", age) for place, age in enumerate(AGES)], ())


def age(world: World, **config: float) -> Age:
    return Age(Age.Config.model_validate(config), world.resources)


class TestAge(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return age(world)


def test_days_by_their_logarithm_and_whether_they_are_known() -> None:
    most = math.log(3_651)
    columns = columns_of(age(WORLD), WORLD, WORLD.query())
    assert columns["age"] == pytest.approx([0, math.log(2) / most, math.log(31) / most, 1, 1, 0, 0])
    assert columns["age_unknown"] == [0, 0, 0, 0, 0, 1, 0]
    younger = columns_of(age(WORLD, max_days=30), WORLD, WORLD.query())
    assert younger["age"] == pytest.approx([0, math.log(2) / math.log(31), 1, 1, 1, 0, 0])


def test_the_time_is_that_of_the_request() -> None:
    later = columns_of(age(WORLD, max_days=30), WORLD, WORLD.query(now=NOW + 2 * DAY))
    assert later["age"][:2] == pytest.approx([math.log(3) / math.log(31), math.log(4) / math.log(31)])
    assert later["age"][-1] == pytest.approx(math.log(2) / math.log(31))
    assert later["age_unknown"] == [0, 0, 0, 0, 0, 1, 0]


def test_an_item_without_a_date_has_no_age_whatever_the_clock_says() -> None:
    early = columns_of(age(WORLD), WORLD, WORLD.query(now=-DAY))
    assert early["age"] == [0] * len(AGES)
