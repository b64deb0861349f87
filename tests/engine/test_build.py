"""From a recipe to feeds: what is refused, and what every feed has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import homefeed.apps.streaming
from homefeed.catalog import Resources
from homefeed.engine import build_feeds
from homefeed.errors import RecipeError
from homefeed.funnel import recommend
from homefeed.policy.availability import Availability
from homefeed.policy.heavily_watched import HeavilyWatched
from homefeed.policy.request import Request
from homefeed.recipe import Recipe, load_recipe, parse_recipe
from homefeed.testing import toy_world
from homefeed.testing.world import POPULAR, RECIPE, USERS

STREAMING = load_recipe(Path(homefeed.apps.streaming.__file__).with_name("recipe.toml"))
RANKED: dict[str, Any] = {"weighted": {"weights": {"popular": 1.0}}}


def recipe(**feed: Any) -> Recipe:
    """The toy recipe with one feed, home: popular unless told otherwise."""
    return parse_recipe(
        {**RECIPE, "feeds": {"home": {"retrieve": {"popular": {}}, "rank": RANKED, **feed}}}, "a test"
    )


def test_streaming_has_its_feeds() -> None:
    world = toy_world()
    feeds = build_feeds(STREAMING, world.resources)
    assert set(feeds) == {"popular", "trending", "fresh", "home", "similar"}
    assert feeds["home"].cold_start is feeds["popular"] or feeds["home"].cold_start == feeds["popular"]
    assert feeds["popular"].cold_start is None
    assert [name for name, feed in feeds.items() if feed.anchored] == ["similar"]
    for spec in STREAMING.feeds["home"].retrieve:
        assert feeds["home"].retrievers[spec.name][1] == spec.k


def test_every_feed_screens_by_availability_and_request_first() -> None:
    feeds = build_feeds(STREAMING, toy_world().resources)
    for feed in feeds.values():
        assert [type(screen) for screen in feed.screens.values()][:2] == [Availability, Request]
    assert isinstance(feeds["home"].screens["heavily_watched"], HeavilyWatched)


def test_two_builds_answer_alike() -> None:
    answers = []
    for _ in range(2):
        world = toy_world()
        feeds = build_feeds(STREAMING, world.resources)
        for user in USERS:
            for name, feed in feeds.items():
                slate = recommend(feed, world.query(user, anchor="d1" if feed.anchored else None))
                answers.append((name, user, slate.positions.tolist(), slate.scores.tolist(), slate.reasons))
    half = len(answers) // 2
    assert answers[:half] == answers[half:]


def test_before_training_a_feed_answers_with_what_needs_no_model() -> None:
    world = toy_world()
    feeds = build_feeds(STREAMING, Resources(world.catalog, world.counters, {}))
    slate = recommend(feeds["home"], world.query("ma", n=3))
    assert len(slate) == 3
    assert not slate.failed
    assert world.ids(recommend(feeds["popular"], world.query("ma", n=20)).positions) == POPULAR


def test_a_part_can_be_used_twice_under_other_names() -> None:
    world = toy_world()
    twice = recipe(
        retrieve={"plays": {"part": "popular", "strength_weight": 0.0}, "watches": {"part": "popular", "k": 7}},
        rank={"weighted": {"weights": {"plays": 1.0, "watches": 0.5}}},
    )
    home = build_feeds(twice, world.resources)["home"]
    assert {name: k for name, (_, k) in home.retrievers.items()} == {"plays": 200, "watches": 7}
    slate = recommend(home, world.query(n=1))
    assert slate.sources == (("plays", "watches"),)


def test_a_weight_for_no_feature_is_refused() -> None:
    wrong = recipe(rank={"weighted": {"weights": {"popular": 1.0, "trending": 1.0}}})
    expected = "toy: feeds.home.rank.weighted.weights.trending: no such feature; expected some of popular"
    with pytest.raises(RecipeError, match=expected):
        build_feeds(wrong, toy_world().resources)


def test_a_model_that_is_not_declared_is_refused() -> None:
    wrong = recipe(retrieve={"popular": {}, "item_item": {"model": "itm_item"}})
    with pytest.raises(
        RecipeError, match=r'feeds.home.retrieve.item_item: no model "itm_item".*item_item, content'
    ):
        build_feeds(wrong, toy_world().resources)


def test_no_screen_can_stand_in_for_those_of_every_feed() -> None:
    wrong = recipe(screen={"availability": {"part": "heavily_watched"}})
    with pytest.raises(RecipeError, match=r"feeds.home.screen.availability: every feed has its own"):
        build_feeds(wrong, toy_world().resources)
    build_feeds(recipe(screen={"availability": {}}), toy_world().resources)
