"""Numbers of users as features."""

from __future__ import annotations

from typing import Any

import pytest
from tests.rank.features.feature_sample import columns_of

from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.user_number import UserNumber
from homefeed.testing import World, toy_world
from homefeed.testing.features import FeatureContract

WORLD = toy_world()


def hours(world: World, **config: Any) -> UserNumber:
    return UserNumber(UserNumber.Config.model_validate({"field": "hours", **config}), world.resources)


def share(told: Any, **config: Any) -> float:
    found = columns_of(hours(WORLD, **config), WORLD, WORLD.query("u", attributes={"hours": told}))["user_hours"]
    assert len(set(found)) == 1, "it is the same for every candidate"
    return found[0]


class TestUserNumber(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return hours(world, max_value=100, log=True)


@pytest.mark.parametrize(
    ("told", "expected"), [(25, 0.25), ("50", 0.5), (1e9, 1), (-3, 0), (True, 0.1), ("many", 0.1), (None, 0.1)]
)
def test_it_is_the_share_of_the_most(told: Any, expected: float) -> None:
    assert share(told, max_value=100, unknown=10) == pytest.approx(expected)


def test_of_numbers_of_many_sizes_the_logarithm_counts() -> None:
    assert share(9, max_value=99, log=True) == pytest.approx(0.5)  # ln 10 / ln 100
    assert share("nan", max_value=99, log=True) == 0
