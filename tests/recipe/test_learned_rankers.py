"""A feed's learned ranker, as a recipe declares it."""

from __future__ import annotations

from typing import Any

import pytest

from homefeed.errors import NotFoundError, RecipeError
from homefeed.rank.click_model.model import ClickModelConfig
from homefeed.recipe import PartSpec, Recipe, parse_recipe
from homefeed.testing.world import RECIPE

PLAIN = {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}


def recipe(home: dict[str, Any], **declared: Any) -> Recipe:
    return parse_recipe({**RECIPE, "feeds": {"home": PLAIN | home, "popular": PLAIN}, **declared}, "r")


def test_it_is_a_model_of_the_app_named_after_its_feed() -> None:
    found = recipe({"learned": {"click_model": {"regularization": 3}}})
    spec = PartSpec("home_ranker", "click_model", ClickModelConfig(regularization=3.0))
    assert found.feeds["home"].learned == spec
    assert dict(found.rankers) == {"home": spec}
    assert found.learned_ranker("home") == spec
    assert [each.name for each in found.models] == ["item_item", "content"], "it learns of other data than these"


def test_a_feed_without_one_has_none() -> None:
    found = recipe({"learned": {"click_model": {}}})
    assert found.feeds["popular"].learned is None
    with pytest.raises(NotFoundError) as caught:
        found.learned_ranker("popular")
    assert str(caught.value) == 'feed "popular" of toy declares no learned ranker; those that do: home'
    with pytest.raises(NotFoundError, match=r'^feed "home" of toy .*: none$'):
        recipe({}).learned_ranker("home")


@pytest.mark.parametrize("learned", [{"clicks": {"part": "click_model"}}, {"click_model": {}}])
def test_the_part_may_have_another_name(learned: dict[str, Any]) -> None:
    assert recipe({"learned": learned}).learned_ranker("home").part == "click_model"


def test_bias_is_among_the_features_of_a_feed_that_has_one_and_not_of_another() -> None:
    found = recipe({"features": {"popularity": {}}, "learned": {"click_model": {}}})
    assert [spec.name for spec in found.feeds["home"].features] == ["popularity", "bias"]
    assert found.feeds["popular"].features == ()
    named = recipe({"features": {"bias": {}, "popularity": {}}, "learned": {"click_model": {}}})
    assert [spec.name for spec in named.feeds["home"].features] == ["bias", "popularity"]


def test_jobs_train_it() -> None:
    learned: dict[str, Any] = {"learned": {"click_model": {}}}
    assert recipe(learned).job("daily").models == ("item_item", "content", "home_ranker", "blend", "signals")
    named = recipe(learned, jobs={"weekly": {"every": "7d", "models": ["home_ranker"]}})
    assert named.job("weekly").models == ("home_ranker",)
    with pytest.raises(RecipeError, match=r"jobs\.weekly\.models.*home_ranker"):
        recipe({}, jobs={"weekly": {"every": "7d", "models": ["home_ranker"]}})


@pytest.mark.parametrize(
    ("home", "declared", "text"),
    [
        (
            {"learned": {"click_model": {}, "value": {"values": {"play": 1.0}}}},
            {},
            "r: feeds.home.learned: dictionary should have at most 1 item",
        ),
        (
            {"learned": {"item_item": {}}},
            {},
            "home.learned.item_item: item_item does not rank; expected one of click_model, lambdamart, value",
        ),
        ({"learned": {"click_modl": {}}}, {}, 'r: feeds.home.learned.click_modl: no part "click_modl"'),
        ({"learned": {"value": {}}}, {}, "r: feeds.home.learned.value.values: missing"),
        ({"learned": {"lambdamart": {"deep": 3}}}, {}, "r: feeds.home.learned.lambdamart.deep: no such key"),
        (
            {},
            {"models": {**RECIPE["models"], "lambdamart": {}}},
            "r: models.lambdamart: lambdamart ranks what a feed retrieves; declare it as "
            "[feeds.NAME.learned.lambdamart]",
        ),
        (
            {"learned": {"click_model": {}}},
            {"models": {**RECIPE["models"], "home_ranker": {"part": "item_item"}}},
            "models.home_ranker: that is the learned ranker of a feed; choose another name",
        ),
        (
            {"features": {"bias": {"part": "popularity"}}, "learned": {"click_model": {}}},
            {},
            "features.bias: a feed with a learned ranker has its own bias; choose another name",
        ),
        ({"rank": {"learned": {}}}, {}, 'no part "learned" to rank'),
    ],
)
def test_what_cannot_be_is_refused(home: dict[str, Any], declared: dict[str, Any], text: str) -> None:
    with pytest.raises(RecipeError) as caught:
        recipe(home, **declared)
    assert text in str(caught.value)
