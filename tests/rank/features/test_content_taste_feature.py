"""Content taste: four likenesses by hand, one at a time and together."""

from __future__ import annotations

import math
from typing import Any

import pytest
from tests.places_sample import DECLARED
from tests.rank.features.feature_sample import LocatedFeatureContract

from homefeed.geo import EQUATOR_RADIUS_KM
from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.content_taste import ContentTaste
from homefeed.testing import World, make_world, toy_item
from homefeed.testing.features import everything
from homefeed.testing.requests import toy_history

ALONE = {f"{name}_weight": 0.0 for name in ("tags", "place", "price", "popularity")}


def taste(world: World, **config: Any) -> ContentTaste:
    given = {"tags": "genre", "price": "year", **config}
    return ContentTaste(ContentTaste.Config.model_validate(given), world.resources)


class TestContentTaste(LocatedFeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return taste(world)


WORLD = make_world(
    [
        toy_item(0, "tea", 1, genre=["tea", "cats"], year=100, location=[0, 0]),
        toy_item(1, "dogs", 1, genre=["cats", "dogs"], year=200, location=[0, 1]),
        toy_item(2, "plain", 1, year=0),
    ],
    (),
    declared=DECLARED,
)


def values(liked: dict[str, float], **config: Any) -> list[float]:
    query = WORLD.query("u", history=toy_history(WORLD, liked))
    return [float(value) for value in taste(WORLD, **config).extract(query, everything(WORLD))[:, 0]]


def test_tags_are_alike_by_the_cosine_and_dislikes_take_off() -> None:
    only_tags = ALONE | {"tags_weight": 1.0}
    assert values({"tea": 1.0}, **only_tags) == pytest.approx([1, 0.5, 0], abs=1e-4)
    # Tea 1, cats 1 - 0.5, dogs -0.5.
    length = math.sqrt(1 + 0.25 + 0.25)
    expected = [1.5 / math.sqrt(2) / length, 0, 0]
    assert values({"tea": 1.0, "dogs": -0.5}, **only_tags) == pytest.approx(expected, abs=1e-4)


def test_places_are_alike_by_the_distance_from_the_middle() -> None:
    degree = math.pi / 180 * EQUATOR_RADIUS_KM
    only_place = ALONE | {"place_weight": 1.0, "place_km": degree}
    assert values({"tea": 1.0}, **only_place) == pytest.approx([1, math.exp(-1), 0], abs=1e-4)
    assert values({"tea": 1.0, "dogs": 1.0}, **only_place) == pytest.approx([math.exp(-0.5)] * 2 + [0], abs=1e-3)


def test_prices_are_alike_by_their_logarithm() -> None:
    only_price = ALONE | {"price_weight": 1.0, "price_slack": math.log(2)}
    assert values({"tea": 1.0}, **only_price) == pytest.approx([1, math.exp(-1), 0], abs=1e-4)
    # Two prices: the mean is in the middle, each is half a doubling away, which is also the deviation.
    assert values({"tea": 1.0, "dogs": 1.0}, **only_price) == pytest.approx([math.exp(-1 / 3)] * 2 + [0], abs=1e-3)


def test_what_cannot_be_told_of_the_user_is_left_out_of_the_mean() -> None:
    # The one liked has neither tags nor place nor a price: only its popularity is left, and that of all is equal.
    assert values({"plain": 1.0}) == pytest.approx([1, 1, 1])
    assert values({}) == [0, 0, 0]
    assert values({"tea": -1.0}) == [0, 0, 0]


def test_the_mean_is_by_the_weights() -> None:
    parts = [values({"tea": 1.0}, **(ALONE | {f"{name}_weight": 1.0})) for name in ("tags", "place")]
    both = values({"tea": 1.0}, **(ALONE | {"tags_weight": 3.0, "place_weight": 1.0}))
    assert both == pytest.approx([(3 * tags + place) / 4 for tags, place in zip(*parts, strict=True)], abs=1e-5)
