"""Rated: the formula, values that are nonsense, and sentences that only say what the item says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from homefeed.errors import RecipeError
from homefeed.protocols import Retriever
from homefeed.retrieve.rated import Rated
from homefeed.testing import RetrieverContract, World, make_world, toy_item, toy_world
from homefeed.testing.requests import frozen
from homefeed.testing.world import RECIPE
from homefeed.types import Condition, Query

FIELDS = dict.fromkeys(("rating", "reviews", "discount"), "number")
SHOP = {**RECIPE, "items": {"fields": RECIPE["items"]["fields"] | FIELDS}}


def shop(**items: tuple[float | None, float | None] | tuple[float | None, float | None, float | None]) -> World:
    """Items by id: rating, number of ratings and perhaps discount."""
    named = []
    for n, (item_id, values) in enumerate(items.items()):
        attributes: dict[str, Any] = dict(zip(FIELDS, values, strict=False))
        named.append(toy_item(n, item_id, n, **attributes))
    return make_world(named, (), declared=SHOP)


def rated(world: World, **config: Any) -> Rated:
    return Rated(Rated.Config.model_validate(config), world.resources)


def scores_of(world: World, **config: Any) -> dict[str, float]:
    positions, scores = rated(world, **config).retrieve(world.query(), 100)
    return dict(zip(world.ids(positions), scores.tolist(), strict=True))


def sentence(world: World, item_id: str, **config: Any) -> str | None:
    (reason,) = rated(world, **config).reasons(world.query(), world.positions(item_id))
    return reason


# The toy world's only number is a year: from 2018 to 2026, as if it were a rating that so many people gave.
BY_YEAR = {"rating": "year", "count": "year", "min_rating": 2000.0, "max_rating": 2030.0}


class TestRated(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return rated(world, **BY_YEAR)


class TestRatedAndDiscounted(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return rated(world, **BY_YEAR, discount="year")

    def requests(self, world: World) -> dict[str, Query]:
        return super().requests(world) | {"recent": world.query(conditions=(Condition("year", ">=", "2023"),))}


def test_scores_are_the_formula() -> None:
    # With a prior of 1, z is 1/2 and 3/4: the catalogue's rating is (5/2 + 3 x 3/4) / (5/4) = 3.8, and shrunken
    # they are 4.4 and 3.2: 0.85 and 0.55 of the scale; c has 3.8, which is 0.7. Counts are ln 2 / ln 4, 1 and 0.
    world = shop(a=(5, 1, 0.5), b=(3, 3, 0.25), c=(None, None, None))
    without = scores_of(world, prior_count=1, rating_weight=2, count_weight=0.4)
    assert without == pytest.approx({"a": 1.7 + 0.2, "c": 1.4, "b": 1.1 + 0.4}, abs=1e-5)
    priced = scores_of(
        world, prior_count=1, rating_weight=2, count_weight=0.4, discount="discount", discount_weight=4
    )
    assert priced == pytest.approx({"a": 1.9 + 2, "b": 1.5 + 1, "c": 1.4}, abs=1e-5)
    assert list(priced) == ["a", "b", "c"]
    assert list(without) == ["a", "b", "c"]


def test_one_rating_of_five_does_not_beat_a_thousand_of_four_and_a_half() -> None:
    world = shop(once=(5.0, 1), often=(4.5, 1000), nobody=(None, None), bad=(1.5, 400))
    assert list(scores_of(world, count_weight=0)) == ["often", "once", "nobody", "bad"]


def test_the_worst_still_has_a_score_above_0() -> None:
    world = shop(bad=(1.0, 10**15), worse=(1.0, 10**15))
    scores = scores_of(world, count_weight=0)
    assert list(scores) == ["worse", "bad"], "the newer of equals goes first"
    assert all(score > 0 for score in scores.values())


def test_a_catalogue_without_ratings_is_all_alike() -> None:
    scores = scores_of(shop(a=(None, None), b=(None, 0), c=(4.0, None)))
    # The middle of the scale, three times.
    assert scores == pytest.approx({"c": 1.5, "b": 1.5, "a": 1.5}, abs=1e-5)


@pytest.mark.parametrize(
    ("rating", "count"),
    [(-1, 100), (0, 100), (0.9, 100), (5.1, 100), (1e300, 100), (None, 100), (4.9, -3), (4.9, 0), (4.9, 0.5)],
)
def test_a_rating_that_cannot_be_is_none(rating: float | None, count: float) -> None:
    world = shop(wrong=(rating, count), none=(None, None), good=(4.5, 10), bad=(2.5, 10))
    scores = scores_of(world)
    assert scores["wrong"] == scores["none"]
    # Nor does it move the rating of the catalogue, or the most of all counts.
    assert scores["none"] == pytest.approx(3 * (3.5 - 1) / 4, abs=1e-5)
    assert scores["good"] == pytest.approx(3 * (3.5 + 1 / 6 - 1) / 4 + 1, abs=1e-5)


@pytest.mark.parametrize("discount", [None, -0.5, 1.01, 1e300, 0.0])
def test_a_discount_that_cannot_be_is_none(discount: float | None) -> None:
    world = shop(wrong=(4, 10, discount), right=(4, 10, 0.2))
    scores = scores_of(world, discount="discount")
    assert scores["right"] - scores["wrong"] == pytest.approx(0.2, abs=1e-5)
    assert sentence(world, "wrong", discount="discount") == "Rated 4.0 by 10 people"


def test_a_discount_beyond_belief_counts_as_the_most_that_is_believed() -> None:
    world = shop(most=(4, 10, 0.6), free=(4, 10, 1.0), more=(4, 10, 0.95), less=(4, 10, 0.5))
    scores = scores_of(world, discount="discount", max_discount=0.6)
    assert scores["most"] == scores["free"] == scores["more"]
    assert scores["most"] - scores["less"] == pytest.approx(0.1, abs=1e-5)


def test_a_huge_number_of_ratings_leaves_every_score_finite() -> None:
    scores = scores_of(shop(a=(5, 1e308), b=(4, 1e308), c=(3, 7)))
    assert all(math.isfinite(score) for score in scores.values())
    assert list(scores) == ["a", "b", "c"]


def test_hidden_items_do_not_move_the_rating_of_the_catalogue() -> None:
    world = shop(a=(5, 10), b=(3, 10), none=(None, None))
    world.catalog.apply([toy_item(3, "hidden", 1, hidden=True, rating=1, reviews=100_000)])
    assert scores_of(world)["none"] == pytest.approx(3 * 0.75, abs=1e-5)
    assert scores_of(world)["a"] > 3 * 0.75 + 1 - 1e-5, "ten ratings are the most of those that can be had"


def test_a_change_of_the_catalogue_shows_once_refreshed() -> None:
    world = shop(a=(4, 10), b=(3, 10))
    retriever = rated(world)
    retriever.refresh()
    before = retriever._ranking
    retriever.refresh()
    assert retriever._ranking is before, "nothing changed, so nothing is sorted"
    world.catalog.apply([toy_item(1, "b", 1, rating=5, reviews=10), toy_item(2, "c", 0, rating=4.5, reviews=10)])
    assert world.ids(retriever.retrieve(world.query(), 9)[0]) == ("a", "b")
    retriever.refresh()
    assert world.ids(retriever.retrieve(world.query(), 9)[0]) == ("b", "c", "a")


def test_sentences_tell_the_items_own_figures() -> None:
    world = shop(
        both=(4.26, 1500, 0.4001),
        undiscounted=(4.0, 2, None),
        once=(5.0, 1, 0.29),
        unrated=(None, None, None),
        only_cheap=(None, 0, 0.305),
        hardly=(4.0, 3, 0.009),
        free=(None, None, 1.0),
    )
    words = {
        item_id: sentence(world, item_id, discount="discount")
        for item_id in world.ids(np.arange(7, dtype=np.int32))
    }
    assert words == {
        "both": "40% off, rated 4.3 by 1,500 people",
        "undiscounted": "Rated 4.0 by 2 people",
        "once": "29% off, rated 5.0 by 1 person",
        "unrated": "Not rated yet",
        "only_cheap": "30% off",
        "hardly": "Rated 4.0 by 3 people",
        "free": "100% off",
    }
    assert sentence(world, "both") == "Rated 4.3 by 1,500 people"
    assert sentence(world, "only_cheap") == "Not rated yet"
    assert sentence(world, "both", reason_undiscounted="{count:,} x {rating:.2f}") == "1,500 x 4.26"


def test_nothing_is_said_of_a_rating_that_cannot_be() -> None:
    world = shop(
        rating=(7, 100, None),
        count=(4.5, -1, None),
        alone=(4.5, None, None),
        one=(None, 1, None),
        cheap=(7, 100, 0.5),
    )
    items = "rating", "count", "alone", "one", "cheap"
    words = [sentence(world, item_id, discount="discount") for item_id in items]
    assert words == [None, None, None, None, "50% off"]


def test_an_order_without_the_newest_items_of_a_request_is_no_trouble() -> None:
    world = shop(a=(4, 10))
    retriever = rated(world)
    retriever.retrieve(world.query(), 1)
    world.catalog.apply([toy_item(1, "b", 1, rating=5, reviews=10)])
    assert world.ids(retriever.retrieve(frozen(world.query()), 9)[0]) == ("a",)


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({"max_rating": 1.0}, "max_rating"),
        ({"rating_weight": 0, "count_weight": 0}, "at least one of the weights"),
        ({"rating_weight": math.inf}, "rating_weight"),
        ({"prior_count": 0}, "prior_count"),
        ({"max_discount": 1.5}, "max_discount"),
    ],
)
def test_settings_that_make_no_order_are_refused(config: dict[str, float], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        Rated.Config.model_validate(config)


def test_fields_have_to_be_numbers() -> None:
    with pytest.raises(RecipeError, match='rating is not declared; expected "number"'):
        rated(toy_world())
    with pytest.raises(RecipeError, match='content_type is declared as "category"; expected "number"'):
        rated(toy_world(), **BY_YEAR, discount="content_type")
