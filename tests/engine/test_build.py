"""From a recipe to feeds: what is refused, and what every feed has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import homefeed.apps.streaming
from homefeed.catalog import Resources
from homefeed.engine import build_feeds, empty_catalog, resources_of
from homefeed.errors import RecipeError
from homefeed.funnel import recommend
from homefeed.policy.availability import Availability
from homefeed.policy.consumption_limit import ConsumptionLimit
from homefeed.policy.isolation import Isolation
from homefeed.policy.request import Request
from homefeed.recipe import Recipe, load_recipe, parse_recipe
from homefeed.testing import toy_world
from homefeed.testing.world import POPULAR, RECIPE, USERS
from homefeed.types import Item

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
    assert set(feeds) == {"popular", "trending", "fresh", "home", "similar", "next"}
    assert feeds["home"].cold_start is feeds["popular"] or feeds["home"].cold_start == feeds["popular"]
    assert feeds["popular"].cold_start is None
    assert [name for name, feed in feeds.items() if feed.settings.anchored] == ["next", "similar"]
    for spec in STREAMING.feeds["home"].retrieve:
        assert feeds["home"].retrievers[spec.name][1] == spec.k


def test_every_feed_filters_by_availability_and_request_first() -> None:
    feeds = build_feeds(STREAMING, toy_world().resources)
    for feed in feeds.values():
        assert [type(filter_) for filter_ in feed.filters.values()][:2] == [Availability, Request]
    assert isinstance(feeds["home"].filters["consumption_limit"], ConsumptionLimit)


def test_two_builds_answer_alike() -> None:
    answers = []
    for _ in range(2):
        world = toy_world()
        feeds = build_feeds(STREAMING, world.resources)
        for user in USERS:
            for name, feed in feeds.items():
                slate = recommend(feed, world.query(user, anchor="d1" if feed.settings.anchored else None))
                answers.append((name, user, slate.positions.tolist(), slate.scores.tolist(), slate.reasons))
    half = len(answers) // 2
    assert answers[:half] == answers[half:]


def test_before_training_a_feed_answers_with_what_needs_no_model() -> None:
    world = toy_world()
    feeds = build_feeds(STREAMING, Resources(world.catalog, world.counters, {}))
    slate = recommend(feeds["home"], world.query("ma", n=3))
    assert len(slate) == 3
    assert not slate.failed
    assert world.ids(recommend(feeds["popular"], world.query("cold", n=20)).positions) == POPULAR


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


def test_no_filter_can_stand_in_for_those_of_every_feed() -> None:
    wrong = recipe(filter={"availability": {"part": "consumption_limit"}})
    with pytest.raises(RecipeError, match=r"feeds.home.filter.availability: every feed has its own"):
        build_feeds(wrong, toy_world().resources)
    build_feeds(recipe(filter={"availability": {}}), toy_world().resources)


def test_of_an_app_without_isolation_no_feed_knows_of_any() -> None:
    feed = build_feeds(recipe(), toy_world().resources)["home"]
    assert feed.isolation is None
    assert list(feed.filters) == ["availability", "request", "blocked", "seen"]


def isolated(**feed: Any) -> Recipe:
    declared: dict[str, Any] = {"users": {"fields": {"group": "category"}}}
    declared["isolation"] = {"item": "content_type", "user": "group"}
    feeds = {"home": {"retrieve": {"popular": {}}, "rank": RANKED, **feed}}
    return parse_recipe({**RECIPE, **declared, "feeds": feeds}, "a test")


def test_isolation_comes_before_everything_in_every_feed() -> None:
    world = toy_world()
    feed = build_feeds(isolated(filter={"consumption_limit": {}}), world.resources)["home"]
    assert list(feed.filters) == ["isolation", "availability", "request", "blocked", "seen", "consumption_limit"]
    assert isinstance(feed.isolation, Isolation)
    assert feed.isolation is feed.filters["isolation"]
    shown = recommend(feed, world.query("da", n=20, attributes={"group": "movie"}))
    kinds = {world.catalog.terms_at("content_type", position) for position in shown.positions.tolist()}
    assert kinds == {("movie",)}


@pytest.mark.parametrize(
    "config",
    [
        {"item": "genre", "user": "other"},
        {"item": "content_type", "user": "group"},
        {"part": "consumption_limit"},
    ],
)
def test_no_feed_sets_the_isolation_of_its_app(config: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=r"feeds\.home\.filter\.isolation: every feed has its own isolation"):
        build_feeds(isolated(filter={"isolation": config}), toy_world().resources)


def test_what_a_part_cannot_use_is_told_with_its_feed_and_its_name() -> None:
    unknown = recipe(filter={"enough": {"part": "seen", "events": {"click": 1}}})
    with pytest.raises(RecipeError, match=r'^toy: feeds\.home\.filter\.enough: no event type "click"; .* play$'):
        build_feeds(unknown, toy_world().resources)
    undeclared = recipe(rerank={"caps": {"field": "creator_id"}})
    with pytest.raises(
        RecipeError, match=r"^toy: feeds\.home\.rerank\.caps: items\.fields\.creator_id is not decla"
    ):
        build_feeds(undeclared, toy_world().resources)
    of_another_kind = recipe(features={"quality": {"field": "genre"}})
    with pytest.raises(
        RecipeError, match=r'^toy: feeds\.home\.features\.quality: items\.fields\.genre .* "number"$'
    ):
        build_feeds(of_another_kind, toy_world().resources)


def test_no_two_features_have_one_name() -> None:
    twice = recipe(features={"popularity": {}, "again": {"part": "popularity"}})
    with pytest.raises(
        RecipeError, match=r"^toy: feeds\.home\.features: two of its features are named popularity$"
    ):
        build_feeds(twice, toy_world().resources)
    as_a_retriever = recipe(
        retrieve={"popular": {}, "popularity": {"part": "popular"}}, features={"popularity": {}}
    )
    with pytest.raises(RecipeError, match="two of its features are named popularity"):
        build_feeds(as_a_retriever, toy_world().resources)


def test_a_feature_of_an_extractor_may_be_weighed() -> None:
    world = toy_world()
    weighed = recipe(
        features={"popularity": {}}, rank={"weighted": {"weights": {"popular": 1.0, "popularity": 0.5}}}
    )
    slate = recommend(build_feeds(weighed, world.resources)["home"], world.query(n=3))
    assert slate.feature_names == ("popular", "popularity")
    assert slate.scores.tolist() == pytest.approx((slate.features @ [1.0, 0.5]).tolist())


def test_resources_hold_what_the_recipe_says_of_its_events() -> None:
    told = parse_recipe(
        {
            **RECIPE,
            "events": {"play": {"verb": "watched"}, "save": {"verb": "saved"}, "skip": {"weight": -1.0}},
            "signals": {"distinct": ["skip"]},
        },
        "a test",
    )
    world = toy_world()
    resources = resources_of(told, world.catalog, world.counters, {})
    assert [resources.verb(code) for code in range(3)] == ["watched", "saved", "chose"]
    assert resources.event_codes(["skip", "play"]).tolist() == [2, 0]
    assert resources.distinct == ("skip",)
    with pytest.raises(RecipeError, match=r'^no event type "like"; expected some of play, save, skip$'):
        resources.event_codes(["play", "like"])


def test_a_catalogue_compares_by_what_the_recipe_says() -> None:
    items = {**RECIPE["items"], "near_duplicates": {"fields": ["title"], "min_similarity": 0.5}}
    catalog = empty_catalog(parse_recipe({**RECIPE, "items": items}, "a test"))
    catalog.apply(Item(f"i{n}", n, {"title": "one and the same long title", "year": n}, None) for n in range(2))
    assert len(set(catalog.near_duplicates.tolist())) == 1
    assert empty_catalog(recipe()).near_duplicates.tolist() == []


def test_the_price_of_a_search_feed_is_a_number_field() -> None:
    with pytest.raises(RecipeError, match=r"feeds\.home\.price: .*title"):
        build_feeds(recipe(price="title"), toy_world().resources)
    assert build_feeds(recipe(price="year"), toy_world().resources)["home"].settings.price == "year"
