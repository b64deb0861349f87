"""Price fit: what a user usually pays, what the others cost, and what is not known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rank.features.feature_sample import columns_of, history_of

from homefeed.errors import RecipeError
from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.price_fit import PriceFit
from homefeed.testing import World, make_world, toy_item, toy_world
from homefeed.testing.features import FeatureContract, check_features, everything
from homefeed.types import Query

PRICES = (10, 20, 40, 5, None, 0, -3)


def priced(*prices: float | None) -> World:
    return make_world([toy_item(place, f"i{place}", 1, year=price) for place, price in enumerate(prices)], ())


WORLD = priced(*PRICES)


def price_fit(world: World, **config: Any) -> PriceFit:
    given = {"field": "year", "scale": math.log(2), "min_items": 2, **config}
    return PriceFit(PriceFit.Config.model_validate(given), world.resources)


def told(query: Query, **config: float) -> dict[str, list[float]]:
    return columns_of(price_fit(WORLD, **config), WORLD, query)


class TestPriceFit(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return price_fit(world)


def test_above_and_below_the_usual_price_by_hand() -> None:
    # Of 10, 20 and 40, liked alike: 20. A price n times as high, or low, by doublings d is d / (1 + d).
    found = told(WORLD.query("u", history=history_of((0, 1.0, 1), (2, 1.0, 1), (4, 1.0, 1), (1, 1.0, 1))))
    assert found["year_above"] == pytest.approx([0, 0, 1 / 2, 0, 0, 0, 0])
    assert found["year_below"] == pytest.approx([1 / 2, 0, 0, 2 / 3, 0, 0, 0])
    wider = told(
        WORLD.query("u", history=history_of((0, 1.0, 1), (2, 1.0, 1), (1, 1.0, 1))), scale=2 * math.log(2)
    )
    assert wider["year_above"][2] == pytest.approx(1 / 3)


def test_the_median_goes_by_the_weights_of_what_was_liked() -> None:
    history = history_of((0, 0.2, 0), (1, 0.2, 0), (2, 1.0, 0), (3, -1.0, 0))
    assert told(WORLD.query("u", history=history))["year_below"][1] == pytest.approx(1 / 2)
    # Twenty half-lives ago 40 was liked much.
    old = history_of((2, 1.0, 20), (0, 0.3, 0), (1, 0.2, 0))
    assert told(WORLD.query("u", history=old), half_life_days=1)["year_above"][1] == pytest.approx(1 / 2)
    # 40 is usual among all, and 10 among the last two.
    lately = history_of((2, 1.0, 0), (2, 1.0, 0), (0, 0.5, 0), (3, 0.1, 0))
    assert told(WORLD.query("u", history=lately))["year_below"][1] == pytest.approx(1 / 2)
    assert told(WORLD.query("u", history=lately), max_events=2)["year_above"][1] == pytest.approx(1 / 2)


def test_of_too_few_prices_none_is_usual() -> None:
    once = told(WORLD.query("u", history=history_of((0, 1.0, 0), (4, 1.0, 0), (5, 1.0, 0), (1, -1.0, 0))))
    assert set(once["year_above"] + once["year_below"]) == {0}
    for query in (WORLD.query(), WORLD.query("u")):
        assert set(told(query)["year_above"] + told(query)["year_below"]) == {0}


def test_the_median_of_the_candidates() -> None:
    # Of 5, 10, 20 and 40 the lower: 10.
    expected = [0, 1 / 2, 2 / 3, -1 / 2, 0, 0, 0]
    assert told(WORLD.query())["year_log"] == pytest.approx(expected)
    some = everything(WORLD).take(np.array([1, 2, 4]))
    found = price_fit(WORLD).extract(WORLD.query(), some)[:, 2]
    assert found.tolist() == pytest.approx([0, 1 / 2, 0])


def test_a_feed_about_an_item_compares_with_its_price() -> None:
    query = WORLD.query("u", history=history_of((2, 1.0, 0), (2, 1.0, 0), (1, 1.0, 0)), anchor="i0")
    found = told(query)
    assert found["year_above"][:4] == pytest.approx([0, 1 / 2, 2 / 3, 0])
    assert found["year_below"][:4] == pytest.approx([0, 0, 0, 1 / 2])


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=9))
def test_whatever_prices_are_features_are_within_bounds(prices: list[float | None]) -> None:
    world = priced(*prices)
    query = world.query("u", history=history_of(*((place, 1.0, 0.0) for place in range(len(prices)))))
    for candidates in (everything(world), everything(world).take(slice(1))):
        check_features("odd prices", price_fit(world, scale=0.01), query, candidates)
    found = price_fit(world).extract(query, everything(world))
    assert found.min() >= -1
    assert found.max() <= 1
    assert found[:, :2].min() >= 0


def test_it_is_named_after_the_field() -> None:
    assert price_fit(toy_world()).names == ("year_above", "year_below", "year_log")


@pytest.mark.parametrize("field", ["price", "genre"])
def test_a_field_that_is_no_number_is_refused(field: str) -> None:
    with pytest.raises(RecipeError, match='expected "number"'):
        price_fit(toy_world(), field=field)
