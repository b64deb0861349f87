"""Popularity of the last hour, day and week: beside the other candidates, and whether it grows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.popularity_windows import PopularityWindows
from homefeed.testing import World, make_world, toy_world
from homefeed.testing.features import FeatureContract, everything
from homefeed.testing.world import ITEMS, NOW, Play
from homefeed.types import DAY


def windows(world: World) -> PopularityWindows:
    return PopularityWindows(PopularityWindows.Config(), world.resources)


class TestPopularityWindows(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return windows(world)


def features(world: World, *item_ids: str, now: int = NOW) -> list[list[float]]:
    candidates = everything(world).take(world.positions(*item_ids).astype(int))
    found: list[list[float]] = windows(world).extract(world.query(now=now), candidates).tolist()
    return found


def test_it_is_the_formula() -> None:
    # d1: two users now; d2: one of them a day ago; s1: none.
    plays = [Play("u", "d1", 60, 0), Play("v", "d1", 60, 0), Play("u", "d2", 60, 1.0)]
    found = features(make_world(ITEMS, plays), "d1", "d2", "s1")
    hour, day, week = (math.log1p(math.exp(-each)) / math.log(3) for each in (24, 1, 1 / 7))

    def trend(of_day: float, of_week: float) -> float:
        x = math.log((of_day + 1) / (of_week / 7 + 1))
        return x / (1 + abs(x))

    np.testing.assert_allclose(found[0], [1, 1, 1, trend(2, 2)], atol=1e-6)
    np.testing.assert_allclose(found[1], [hour, day, week, trend(math.exp(-1), math.exp(-1 / 7))], atol=1e-6)
    assert found[2] == [0, 0, 0, 0]


def test_a_trend_falls_below_zero_where_the_day_is_less_than_others_of_the_week() -> None:
    plays = [Play(f"u{n}", "d1", 60, 3.0) for n in range(20)]
    assert features(make_world(ITEMS, plays), "d1")[0][3] < 0


def test_time_passes_without_any_event() -> None:
    world = toy_world()
    assert features(world, "d1", "s1", now=NOW + 3 * DAY) != features(world, "d1", "s1")


@pytest.mark.parametrize("item", ["s4", "d4"])
def test_without_events_all_have_none(item: str) -> None:
    assert features(toy_world(), item) == [[0, 0, 0, 0]]
