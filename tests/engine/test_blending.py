"""A feed is blended as was measured, as long as it is made of the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from homefeed.engine import build_feeds
from homefeed.engine.blending import ranker_of, retrievers_of
from homefeed.funnel import Feed, recommend
from homefeed.rank.blend import Blend, FeedBlend
from homefeed.rank.calibration import Calibration
from homefeed.recipe import BLEND, Recipe, parse_recipe
from homefeed.testing import World, toy_world
from homefeed.testing.world import RECIPE

RETRIEVERS = ("item_item", "content", "trending", "fresh", "popular")


@pytest.fixture(scope="module")
def world() -> World:
    return toy_world()


def by_rank(intercept: float) -> Calibration:
    return Calibration(intercept, 0.0, -1.0, 0.0)


def home_blend(world: World, weights: Mapping[str, float] | None = None) -> FeedBlend:
    home = world.recipe.feeds["home"]
    calibrations = {name: by_rank(float(n)) for n, name in enumerate(RETRIEVERS, 1)}
    return FeedBlend(calibrations, retrievers_of(home), ranker_of(home) if weights else "", weights or {})


def built(world: World, home: FeedBlend, recipe: Recipe | None = None) -> dict[str, Feed]:
    models = dict(world.resources.models) | {BLEND: Blend({"home": home})}
    return build_feeds(recipe or world.recipe, replace(world.resources, models=models))


def with_home(world: World, **changes: Any) -> Recipe:
    home = replace(world.recipe.feeds["home"], **changes)
    return replace(world.recipe, feeds={**world.recipe.feeds, "home": home})


def test_a_feed_without_a_blend_counts_shares_of_the_best(world: World) -> None:
    home = build_feeds(world.recipe, world.resources)["home"]
    assert home.calibration is None
    slate = recommend(home, world.query("da"))
    assert slate.features[:, :5].max(axis=0).tolist() == [1, 1, 1, 1, 1]


def test_a_blended_feed_counts_evidence(world: World) -> None:
    feeds = built(world, home_blend(world))
    assert feeds["home"].calibration is not None
    assert feeds["popular"].calibration is None
    slate = recommend(feeds["home"], world.query("da"))
    popular = np.sort(slate.features[:, RETRIEVERS.index("popular")])[::-1]
    assert popular[:3].tolist() == pytest.approx([5.01, 5.01 - math.log(2), 5.01 - math.log(3)])
    trending = slate.features[:, RETRIEVERS.index("trending")]
    assert trending.max() == pytest.approx(3.01)
    assert trending.min() == 0, "of what it did not propose"


def test_tuned_weights_take_the_place_of_the_recipes(world: World) -> None:
    feed = built(world, home_blend(world, {"popular": 2.0}))["home"]
    slate = recommend(feed, world.query("da"))
    expected = 2 * slate.features[:, RETRIEVERS.index("popular")]
    np.testing.assert_allclose(slate.scores, expected, rtol=1e-6)


def test_a_feed_of_other_retrievers_is_as_the_recipe_has_it(world: World) -> None:
    home = world.recipe.feeds["home"]
    for retrieve in (
        (*home.retrieve[:-1], replace(home.retrieve[-1], k=7)),
        home.retrieve[::-1],
        home.retrieve[1:],
    ):
        weights = {spec.name: 1.0 for spec in retrieve}
        config = home.rank.config.model_copy(update={"weights": weights})
        recipe = with_home(world, retrieve=retrieve, rank=replace(home.rank, config=config))
        feed = built(world, home_blend(world, {"popular": 2.0}), recipe)["home"]
        assert feed.calibration is None
        slate = recommend(feed, world.query("da"))
        np.testing.assert_allclose(slate.scores, slate.features[:, : len(retrieve)].sum(axis=1), rtol=1e-6)


def test_tuned_weights_hold_when_a_learned_ranker_is_declared() -> None:
    learned = {**RECIPE["feeds"]["home"], "learned": {"click_model": {}}}
    with_it = parse_recipe({**RECIPE, "feeds": {**RECIPE["feeds"], "home": learned}}, "a test").feeds["home"]
    without = parse_recipe(RECIPE, "a test").feeds["home"]
    assert [spec.name for spec in with_it.features] == ["bias"]
    assert ranker_of(with_it) == ranker_of(without)
    more = {**learned, "features": {"popularity": {}}}
    other = parse_recipe({**RECIPE, "feeds": {**RECIPE["feeds"], "home": more}}, "a test").feeds["home"]
    assert ranker_of(other) != ranker_of(without)


def test_other_weights_in_the_recipe_are_taken_and_the_calibration_stays(world: World) -> None:
    home = world.recipe.feeds["home"]
    config = home.rank.config.model_copy(update={"weights": {"trending": 1.0}})
    recipe = with_home(world, rank=replace(home.rank, config=config))
    feed = built(world, home_blend(world, {"popular": 2.0}), recipe)["home"]
    assert feed.calibration is not None
    slate = recommend(feed, world.query("da"))
    np.testing.assert_allclose(slate.scores, slate.features[:, RETRIEVERS.index("trending")], rtol=1e-6)


def test_a_blend_that_lacks_a_retriever_is_left_aside(world: World) -> None:
    whole = home_blend(world)
    lacking = replace(whole, calibrations={name: whole.calibrations[name] for name in RETRIEVERS[1:]})
    assert built(world, lacking)["home"].calibration is None


def test_weights_of_features_that_are_not_there_are_left_aside(world: World) -> None:
    feed = built(world, home_blend(world, {"popular": 2.0, "luck": 1.0}))["home"]
    assert feed.calibration is not None
    slate = recommend(feed, world.query("da"))
    expected = slate.features[:, [0, 1, 4]] @ np.array([1.0, 0.2, 0.1])
    np.testing.assert_allclose(slate.scores, expected, rtol=1e-5)


NUMBERS = {"item_item": {"half_life_days": 3.0, "place_exponent": 1.5}}


def test_tuned_numbers_of_retrievers_are_served(world: World) -> None:
    home = world.recipe.feeds["home"]
    specs = [
        replace(spec, config=spec.config.model_copy(update=NUMBERS.get(spec.name, {}))) for spec in home.retrieve
    ]
    by_score = {name: Calibration(1.0, 1.0, 0.0, 0.0) for name in RETRIEVERS}
    own = replace(home_blend(world), calibrations=by_score)
    told = with_home(world, retrieve=tuple(specs))
    expected = replace(own, retrievers=retrievers_of(told.feeds["home"]))
    feeds = built(world, replace(own, settings=NUMBERS)), built(world, expected, told), built(world, own)
    tuned, same, plain = (recommend(each["home"], world.query("da")).scores.tolist() for each in feeds)
    assert tuned == same != plain


@pytest.mark.parametrize(
    "numbers",
    [
        {"item_item": {"max_events": 3.0}},
        {"item_item": {"half_life_days": -3.0}},
        {"popular": {"half_life_days": 3.0}},
        {"gone": {"half_life_days": 3.0}},
    ],
)
def test_a_blend_with_numbers_that_cannot_be_tuned_is_left_aside(
    world: World, numbers: Mapping[str, Mapping[str, float]]
) -> None:
    feed = built(world, replace(home_blend(world), settings=numbers))["home"]
    assert feed.calibration is None
