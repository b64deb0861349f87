"""Click probability: by the model that serves, of the features as they are declared; else 0."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import structlog
from tests.places_sample import DECLARED
from tests.rank.features.feature_sample import LocatedFeatureContract, columns_of
from tests.rank.pairs_sample import PAIR_FEATURES, LiveSample

from homefeed.engine import build_feeds
from homefeed.errors import RecipeError
from homefeed.labelled import PairFeature, Validation
from homefeed.protocols import FeatureExtractor, PairModel
from homefeed.rank.click_probability.model import ClickProbabilityModel
from homefeed.rank.features.click_probability import ClickProbability
from homefeed.recipe import parse_recipe
from homefeed.testing import World, make_world, toy_item, toy_world
from homefeed.testing.world import RECIPE

NAME = "click_probability"
EVERY_KIND = {
    "km": PairFeature(distance="km", log=True),
    "near": PairFeature(within_km=20),
    "year": PairFeature(item="year"),
    "age": PairFeature(user="age"),
    "same": PairFeature(item="genre", user="genre"),
    "series": PairFeature(item="content_type", equals="series"),
    "drama": PairFeature(user="genre", equals="drama"),
}


def model_of(features: dict[str, PairFeature], **weights: float) -> ClickProbabilityModel:
    """A model of features in their own units, with an intercept of -1."""
    numbers = np.array([weights.get(name, 0.1) for name in features])
    zeros, ones = np.zeros(len(features)), np.ones(len(features))
    return ClickProbabilityModel(features, zeros, ones, numbers, -1.0, Validation(8, 2, 0.5, 1, 1, 1, 1))


def extractor(world: World, found: PairModel | None, /, **config: object) -> ClickProbability:
    models = {} if found is None else {NAME: found}
    return ClickProbability(
        ClickProbability.Config.model_validate(config), replace(world.resources, models=models)
    )


class TestClickProbability(LocatedFeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return extractor(world, model_of(EVERY_KIND))


def test_it_is_the_probability_of_the_model() -> None:
    world = make_world(
        [toy_item(n, f"i{n}", 1, year=n, genre=["Drama"] * n) for n in range(2)], (), declared=DECLARED
    )
    features = {"year": PairFeature(item="year"), "same": PairFeature(item="genre", user="likes")}
    found = columns_of(
        extractor(world, model_of(features, year=3, same=0.5)), world, world.query(attributes={"likes": ["drama"]})
    )
    assert found[NAME] == pytest.approx([1 / (1 + np.exp(1)), 1 / (1 + np.exp(-2.5))])


def test_it_is_0_without_a_model_or_switched_off() -> None:
    world = toy_world()
    model = model_of({"year": PairFeature(item="year")})
    nothing = {NAME: [0] * world.catalog.size}
    assert columns_of(extractor(world, None), world, world.query("da")) == nothing
    assert columns_of(extractor(world, model, enabled=False), world, world.query("da")) == nothing
    assert columns_of(extractor(world, model), world, world.query("da")) != nothing


def test_it_is_called_as_the_model_is() -> None:
    assert extractor(toy_world(), None, model="buys").names == ("buys",)


def test_a_model_of_fields_that_items_no_longer_have_is_not_used() -> None:
    world = toy_world()
    with structlog.testing.capture_logs() as logs:
        found = columns_of(
            extractor(world, model_of({"far": PairFeature(distance="km")})), world, world.query("da")
        )
    assert found == {NAME: [0] * world.catalog.size}
    (told,) = logs
    assert (told["event"], told["why"]) == (
        "model not used, train it anew",
        'far: items have no field of the kind "location"',
    )


def test_it_is_as_probable_as_the_samples_say(tmp_path: Path) -> None:
    sample = LiveSample.of(tmp_path)
    world, user_id = sample.world(), "user_000002"
    model = model_of(PAIR_FEATURES, distance_km=-0.4, creator_followers=0.01, user_total_watch_hours=-0.2)
    found = columns_of(extractor(world, model), world, sample.query(world, user_id))[NAME]
    rows = sample.clicks.filter(sample.clicks["user_id"] == user_id)
    expected = model.probabilities(rows.select(*PAIR_FEATURES).to_numpy().astype(np.float64))
    served = [found[position] for position in world.positions(*rows["stream_id"]).tolist()]
    assert len(served) > 3
    assert served == pytest.approx(expected.tolist(), rel=1e-3)


def test_a_feed_names_a_model_that_the_recipe_has() -> None:
    home = RECIPE["feeds"]["home"] | {"features": {NAME: {}}}
    feeds = RECIPE["feeds"] | {"home": home}
    with pytest.raises(
        RecipeError, match=r'features\.click_probability: no model "click_probability"; declare it'
    ):
        build_feeds(parse_recipe({**RECIPE, "feeds": feeds}, "r"), toy_world().resources)
    models = RECIPE["models"] | {NAME: {"features": {"year": {"item": "year"}}}}
    recipe = parse_recipe({**RECIPE, "feeds": feeds, "models": models}, "r")
    assert NAME in build_feeds(recipe, toy_world().resources)["home"].feature_names
