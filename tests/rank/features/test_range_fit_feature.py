"""Range fit: within bounds, outside them, without any."""

from __future__ import annotations

from typing import Any

import pytest

from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.range_fit import RangeFit
from homefeed.testing import World, make_world, toy_item
from homefeed.testing.features import FeatureContract, everything

WORLD = make_world(
    [toy_item(place, f"i{place}", 1, year=year) for place, year in enumerate((50, 100, 400, None))], ()
)


def fit(world: World, **config: Any) -> RangeFit:
    given = {"field": "year", "min_user_field": "low", "max_user_field": "high", **config}
    return RangeFit(RangeFit.Config.model_validate(given), world.resources)


class TestRangeFit(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return fit(world)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({}, [1, 1, 1, 1]),
        ({"low": 100}, [0.25, 1, 1, 0]),
        ({"high": "200"}, [1, 1, 0.25, 0]),
        ({"low": 100, "high": 200}, [0.25, 1, 0.25, 0]),
        ({"low": "much"}, [1, 1, 1, 1]),
        ({"low": -5, "high": 0}, [0, 0, 0, 0]),
    ],
)
def test_outside_the_bounds_it_falls_by_the_ratio(bounds: dict[str, Any], expected: list[float]) -> None:
    query = WORLD.query("u", attributes=bounds)
    assert fit(WORLD).extract(query, everything(WORLD))[:, 0].tolist() == pytest.approx(expected)
