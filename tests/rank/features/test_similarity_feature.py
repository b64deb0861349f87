"""Similarity: cosines with what was liked last, by each model that has vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.rank.features.feature_sample import columns_of, history_of

from homefeed.engine import build_feeds, refresh
from homefeed.errors import RecipeError
from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.similarity import Similarity
from homefeed.retrieve.content.model import ContentModel
from homefeed.testing import World, make_world, toy_item, toy_world
from homefeed.testing.features import FeatureContract, everything
from homefeed.testing.requests import NEW_ITEM, toy_history
from homefeed.testing.world import ITEMS, PLAYS, RECIPE
from homefeed.types import Floats, Query

MODELS: dict[str, dict[str, Any]] = {**RECIPE["models"], "als": {"factors": 4, "regularization": 0.5}}
WORLD = make_world(ITEMS, PLAYS, declared={**RECIPE, "models": MODELS})


def similarity(world: World, **config: Any) -> Similarity:
    return Similarity(Similarity.Config.model_validate(config), world.resources)


def told(query: Query, **config: Any) -> tuple[list[float], list[float]]:
    """The largest and the mean of every item."""
    largest, mean = columns_of(similarity(WORLD, **config), WORLD, query).values()
    return largest, mean


def vectors_of(world: World) -> Floats:
    model = world.resources.models["content"]
    assert isinstance(model, ContentModel)
    assert model.numbers.tolist() == world.catalog.numbers.tolist()
    return model.vectors


class TestByContent(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return similarity(world)


class TestByAls(FeatureContract):
    @pytest.fixture
    def world(self) -> World:
        return make_world(ITEMS, PLAYS, declared={**RECIPE, "models": MODELS})

    def make(self, world: World) -> FeatureExtractor:
        return similarity(world, model="als")


class TestWithoutTheModel(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return similarity(world, model="later")


class TestByAModelWithoutVectors(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return similarity(world, model="item_item")


def test_the_largest_and_the_mean_of_the_cosines() -> None:
    vectors = vectors_of(WORLD)
    history = toy_history(WORLD, {"s1": 0.2, "d1": 1.0, "s2": 0.0, "x1": 1.0, "d2": 0.5})
    cosines = vectors @ vectors[WORLD.positions("d1", "d2")].T
    largest, mean = told(WORLD.query("u", history=history), last=3)
    # x1 is among the last three liked, and has no word.
    assert largest == pytest.approx(cosines.max(axis=1).tolist(), abs=1e-6)
    assert mean == pytest.approx(cosines.mean(axis=1).tolist(), abs=1e-6)
    assert largest[WORLD.position("d4")] > largest[WORLD.position("s4")]
    assert largest[WORLD.position("x1")] == mean[WORLD.position("x1")] == 0


def test_only_the_last_liked_count_each_once() -> None:
    vectors = vectors_of(WORLD)
    d1, s1, s2 = WORLD.positions("d1", "s1", "s2").tolist()
    history = history_of((d1, 1.0, 5), (s1, 1.0, 4), (s2, 0.5, 3), (s2, 0.5, 2), (s1, 0.0, 1))
    expected = (vectors @ vectors[[s1, s2]].T).mean(axis=1)
    assert told(WORLD.query("u", history=history), last=2)[1] == pytest.approx(expected.tolist(), abs=1e-6)
    expected = (vectors @ vectors[[s2]].T).mean(axis=1)
    assert told(WORLD.query("u", history=history), max_events=3)[1] == pytest.approx(expected.tolist(), abs=1e-6)


def test_the_last_word_on_an_item_is_that_of_its_latest_event() -> None:
    d1, s1 = WORLD.positions("d1", "s1").tolist()
    disliked = history_of((d1, 1.0, 3), (s1, 1.0, 2), (s1, -1.0, 1))
    regained = history_of((s1, -1.0, 3), (d1, 1.0, 2), (s1, 1.0, 1))
    assert told(WORLD.query("u", history=disliked)) == told(WORLD.query("u", history=history_of((d1, 1.0, 3))))
    both = history_of((d1, 1.0, 2), (s1, 1.0, 1))
    assert told(WORLD.query("u", history=regained)) == told(WORLD.query("u", history=both))


def test_a_feed_about_an_item_compares_with_it_alone() -> None:
    history = toy_history(WORLD, {"s1": 1.0})
    largest, mean = told(WORLD.query("u", history=history, anchor="d1"))
    assert largest == mean == told(WORLD.query("u", history=toy_history(WORLD, {"d1": 1.0})))[0]
    assert largest[WORLD.position("d1")] == pytest.approx(1)


def test_nothing_liked_is_like_nothing() -> None:
    for query in (WORLD.query(), WORLD.query("u", history=toy_history(WORLD, {"d1": -1.0, "d2": 0.0}))):
        assert {*told(query)[0], *told(query)[1]} == {0}


def test_who_chose_items_tells_whether_they_are_alike() -> None:
    query = WORLD.query("u", history=toy_history(WORLD, {"d1": 1.0}))
    largest, _ = told(query, model="als")
    d2, s1, d4 = WORLD.positions("d2", "s1", "d4").tolist()
    assert largest[d2] > 0.5 > largest[s1]
    assert largest[d4] == 0  # without events when it was trained
    assert max(largest) <= 1


def test_a_row_is_the_same_whatever_is_beside_it() -> None:
    part, query = similarity(WORLD), WORLD.query("da")
    every = part.extract(query, everything(WORLD))
    for row in range(len(every)):
        alone = part.extract(query, everything(WORLD).take(np.array([row])))
        np.testing.assert_array_equal(alone, every[[row]])


def test_an_item_that_came_since_is_compared_once_it_was_taken_over() -> None:
    world = toy_world()
    part = similarity(world)
    world.catalog.apply([NEW_ITEM])
    query = world.query("u", history=toy_history(world, {"d1": 1.0}))
    place = world.position("new")
    assert part.extract(query, everything(world))[place].tolist() == [0, 0]
    part.refresh()
    found = part.extract(query, everything(world))
    assert found[place, 0] > 0.5
    # The same as of one that knew it from the start, and as the anchor.
    np.testing.assert_array_equal(similarity(world).extract(query, everything(world)), found)
    assert part.extract(world.query(anchor="new"), everything(world))[place, 0] == pytest.approx(1)


def test_an_item_that_says_something_else_is_like_something_else() -> None:
    world = toy_world()
    part = similarity(world)
    query = world.query("u", history=toy_history(world, {"d1": 1.0}))
    before = part.extract(query, everything(world)).copy()
    place = world.position("d2")
    for _ in range(2):
        world.catalog.apply(
            [toy_item(place, "d2", 90, title="Star Harvest", content_type="movie", genre=["SciFi"])]
        )
        part.refresh()
    after = part.extract(query, everything(world))
    assert after[place, 0] < before[place, 0] - 0.3
    others = np.arange(len(after)) != place
    np.testing.assert_array_equal(after[others], before[others])


def feed_world(**config: str) -> World:
    """A world whose feed has the part."""
    home = {
        "retrieve": {"popular": {}},
        "features": {"similarity": config},
        "rank": RECIPE["feeds"]["popular"]["rank"],
    }
    return make_world(ITEMS, PLAYS, declared={**RECIPE, "feeds": {"home": home}})


def test_items_that_came_are_taken_over_with_those_of_the_other_parts() -> None:
    world = feed_world()
    feeds = build_feeds(world.recipe, world.resources)
    world.catalog.apply([NEW_ITEM])
    refresh(feeds)
    found = feeds["home"].extractors["similarity"].extract(world.query("da"), everything(world))
    assert found[world.position("new"), 0] > 0


def test_it_is_named_after_the_model() -> None:
    assert similarity(WORLD, model="als").names == ("als_similarity_max", "als_similarity_mean")


def test_a_model_that_the_recipe_has_not_is_refused() -> None:
    world = feed_world(model="words")
    with pytest.raises(RecipeError, match=r'feeds\.home\.features\.similarity: no model "words"'):
        build_feeds(world.recipe, world.resources)
