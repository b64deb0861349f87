"""Audience: how like the user's taste is to the tastes of those who chose an item."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.sparse import csr_array
from tests.rank.features.feature_sample import columns_of

from homefeed.engine import build_feeds
from homefeed.errors import RecipeError
from homefeed.protocols import FeatureExtractor, VectorModel
from homefeed.rank.features.audience import Audience, Tastes
from homefeed.recipe import parse_recipe
from homefeed.testing import World, make_world, toy_world
from homefeed.testing.features import FeatureContract
from homefeed.testing.requests import toy_history
from homefeed.testing.world import ITEMS, PLAYS, RECIPE
from homefeed.types import DAY

MODELS: dict[str, dict[str, Any]] = {**RECIPE["models"], "als": {"factors": 4, "regularization": 0.5}}
DECLARED: dict[str, Any] = {**RECIPE, "models": MODELS}
WORLD = make_world(ITEMS, PLAYS, declared=DECLARED)
LIKED = {"d1": 1.0, "d2": 1.0}

Doubles = npt.NDArray[np.float64]


def audience(world: World, **config: Any) -> Audience:
    return Audience(Audience.Config.model_validate(config), world.resources)


class TestByAls(FeatureContract):
    @pytest.fixture
    def world(self) -> World:
        return make_world(ITEMS, PLAYS, declared=DECLARED)

    def make(self, world: World) -> FeatureExtractor:
        return audience(world)


class TestByContent(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return audience(world, model="content")


class TestWithoutTheModel(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return audience(world, model="later")


def told(world: World, extractor: Audience, liked: dict[str, float]) -> dict[str, float]:
    """Of every item, by id."""
    (column,) = columns_of(extractor, world, world.query("u", history=toy_history(world, liked))).values()
    return {item.item_id: column[world.position(item.item_id)] for item in ITEMS}


def unit(vector: Doubles) -> Doubles:
    length = float(np.linalg.norm(vector))
    return vector / length if length > 1e-6 else 0 * vector


def by_hand(world: World, liked: dict[str, float], smoothing: float) -> dict[str, float]:
    """The same, user by user and item by item, from the plays."""
    model = world.resources.models["als"]
    assert isinstance(model, VectorModel)
    numbers = {item.item_id: item.number for item in ITEMS}
    vectors = {int(n): unit(v.astype(np.float64)) for n, v in zip(model.numbers, model.vectors, strict=True)}
    played: dict[str, set[str]] = {}
    for play in PLAYS:
        if play.seconds > 0:
            played.setdefault(play.user_id, set()).add(play.item_id)

    def taste(items: set[str]) -> Doubles:
        return unit(sum((vectors.get(numbers[item], np.zeros(4)) for item in items), np.zeros(4)))

    tastes = {user: taste(items) for user, items in played.items()}
    mean = np.mean([each for each in tastes.values() if each.any()], axis=0)
    of = unit(taste(set(liked)) - mean)
    found = {}
    for name in numbers:
        users = [user for user in tastes if name in played[user]]
        total = sum((unit(tastes[user] - mean) for user in users if tastes[user].any()), np.zeros(4))
        found[name] = float(total @ of / (len(users) + smoothing))
    return found


@pytest.mark.parametrize("smoothing", [2.0, 0.5])
def test_it_is_the_mean_likeness_to_those_who_chose_it(smoothing: float) -> None:
    found = told(WORLD, audience(WORLD, smoothing=smoothing), LIKED)
    assert found == pytest.approx(by_hand(WORLD, LIKED, smoothing), abs=1e-5)
    assert found["d3"] > 0.2 > -0.2 > found["s3"], "lovers of drama chose it, and of science fiction not"
    assert found["d4"] == found["x1"] == 0, "nobody chose it yet"


def test_an_item_that_came_since_the_training_is_known_by_who_chose_it_an_hour_later() -> None:
    world = make_world(ITEMS, PLAYS, declared=DECLARED)
    extractor, d4 = audience(world), world.position("d4")
    counters, latest = world.resources.counters, world.resources.counters.latest
    users = np.unique(world.data.interactions.users[world.data.interactions.items == world.position("d1")])
    numbers = world.data.numbers_of_users(users)
    items, ones = np.full(len(users), d4, np.int32), np.ones(len(users), np.float32)
    for moment, known in ((latest, False), (latest + DAY // 24, True)):
        counters.add(numbers, items, ones, np.full(len(users), moment))
        extractor.refresh()
        assert (told(world, extractor, LIKED)["d4"] > 0.1) == known
    assert told(world, extractor, {"s1": 1.0})["d4"] < 0


def test_who_chose_nothing_has_no_taste() -> None:
    for liked in ({}, {"d4": 1.0}, {"d1": -1.0}):
        assert set(told(WORLD, audience(WORLD), liked).values()) == {0.0}


def test_where_every_event_counts_nobody_knows_who_chose() -> None:
    declared = {**DECLARED, "signals": {**DECLARED.get("signals", {}), "count": "events"}}
    world = make_world(ITEMS, PLAYS, declared=declared)
    assert set(told(world, audience(world), LIKED).values()) == {0.0}


def test_the_model_has_to_be_declared() -> None:
    home = {**RECIPE["feeds"]["home"], "features": {"audience": {"model": "later"}}}
    recipe = parse_recipe({**RECIPE, "feeds": {**RECIPE["feeds"], "home": home}}, "a test")
    with pytest.raises(RecipeError, match=r'features\.audience: no model "later"'):
        build_feeds(recipe, toy_world().resources)


def test_users_who_are_kept_apart_say_nothing_of_one_another() -> None:
    """The audiences of a partition's items, and the mean of its tastes, are those of its users alone."""
    vectors = np.eye(4, dtype=np.float32)
    chose = csr_array(np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]], np.float32))
    groups = np.array([1, 1, 2, 2], np.int32)
    together = Tastes.of(chose, vectors, groups, 1.0)
    alone = Tastes.of(chose[:2, :2], vectors[:2], groups[:2], 1.0)
    np.testing.assert_allclose(together.audiences[:2], alone.audiences, atol=1e-7)
    np.testing.assert_allclose(together.centres[:2], alone.centres, atol=1e-7)
    # Of tastes (1, 0) and (1, 1) / sqrt 2: less their mean they point away from one another.
    slope = np.array([1 - 0.5**0.5, -(0.5**0.5)])
    apart = slope / np.linalg.norm(slope)
    np.testing.assert_allclose(together.audiences[:2, :2], [0 * apart, -apart / 2], atol=1e-6)
