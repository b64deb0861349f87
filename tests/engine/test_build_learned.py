"""A learned ranker ranks where it fits the feed; elsewhere the feed's own does, and it says why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from homefeed.engine import build_feeds
from homefeed.engine.blending import retrievers_of
from homefeed.errors import RecipeError
from homefeed.funnel import Feed, recommend
from homefeed.protocols import Model
from homefeed.rank.blend import Blend, FeedBlend
from homefeed.rank.calibration import Calibration
from homefeed.rank.click_model.model import ClickModelModel
from homefeed.rank.learned import LearnedRanker
from homefeed.rank.schema import Schema
from homefeed.rank.value.model import Classifier, ValueModel
from homefeed.rank.weighted import Weighted
from homefeed.recipe import BLEND, Recipe, parse_recipe
from homefeed.testing import toy_world
from homefeed.testing.world import RECIPE
from homefeed.tracing import explain

NAMES = ("popular", "fresh", "popularity", "bias", "own")


def recipe(learned: dict[str, Any]) -> Recipe:
    home = {
        "retrieve": {"popular": {}, "fresh": {}},
        "features": {"popularity": {}},
        "rank": {"weighted": {"weights": {"popular": 1.0}}},
        "learned": learned,
    }
    return parse_recipe({**RECIPE, "feeds": {"home": home}}, "a test")


def clicks(*names: str, calibrated: bool = False) -> ClickModelModel:
    """It likes what is fresh."""
    coefficients = np.array([5.0 if name == "fresh" else 0.0 for name in names], np.float32)
    return ClickModelModel(Schema(names, calibrated), coefficients)


def built(model: Model | None, learned: dict[str, Any] | None = None, blend: Blend | None = None) -> Feed:
    world = toy_world()
    models = {} if model is None else {"home_ranker": model}
    models |= {} if blend is None else {BLEND: blend}
    resources = replace(world.resources, models={**world.resources.models, **models})
    return build_feeds(recipe({"click_model": {}} if learned is None else learned), resources)["home"]


def blend() -> Blend:
    by_rank = Calibration(3.0, 0.0, -1.0, 0.0)
    home = recipe({"click_model": {}}).feeds["home"]
    return Blend({"home": FeedBlend({"popular": by_rank, "fresh": by_rank}, retrievers_of(home))})


def first(feed: Feed) -> str:
    world = toy_world()
    return world.ids(recommend(feed, world.query("sa")).positions)[0]


def test_one_that_fits_ranks() -> None:
    feed = built(clicks(*NAMES))
    assert (feed.ranked_by, feed.why_not_learned) == ("click_model", None)
    assert isinstance(feed.ranker, LearnedRanker)
    assert first(feed) == "d4", "the newest"


def test_the_order_of_its_features_is_its_own() -> None:
    feed = built(clicks(*reversed(NAMES)))
    assert feed.ranked_by == "click_model"
    assert first(feed) == "d4"


@pytest.mark.parametrize(
    ("model", "why"),
    [
        (None, "none is published yet"),
        (clicks(*NAMES, "quality"), "it learned from features that the feed no longer has: quality"),
        (
            clicks("popular", "fresh", "bias", "own"),
            "the feed has features that it has not learned from: popularity",
        ),
        (clicks(*NAMES, calibrated=True), "it learned from retrievers that were calibrated"),
        (Blend({}), "none is published yet"),
    ],
)
def test_where_it_does_not_fit_the_feeds_own_ranks(model: Model | None, why: str) -> None:
    feed = built(model)
    assert (feed.ranked_by, feed.why_not_learned) == ("weighted", why)
    assert isinstance(feed.ranker, Weighted)
    assert first(feed) != "d4"


def test_a_calibrated_feed_is_ranked_by_one_that_learned_of_evidence_only() -> None:
    assert built(clicks(*NAMES, calibrated=True), blend=blend()).ranked_by == "click_model"
    feed = built(clicks(*NAMES), blend=blend())
    assert (feed.ranked_by, feed.why_not_learned) == (
        "weighted",
        "it learned from retrievers that were not calibrated",
    )


def test_a_feed_that_declares_none_has_no_reason_to_tell() -> None:
    feed = build_feeds(parse_recipe(RECIPE, "a test"), toy_world().resources)["home"]
    assert (feed.ranked_by, feed.why_not_learned) == ("weighted", None)


def test_what_events_are_worth_is_taken_from_the_recipe() -> None:
    classifiers = {"play": Classifier(None, 0.0, 0.0), "hide": Classifier(None, 0.0, 0.0)}
    model = ValueModel(Schema(NAMES, calibrated=False), classifiers, {"play": 1.0})
    feed = built(model, {"value": {"values": {"play": 4.0, "hide": -1.0}}})
    assert feed.ranked_by == "value"
    world = toy_world()
    scores = recommend(feed, world.query("sa")).scores
    assert set(scores.tolist()) == {1.5}, "4 / 2 - 1 / 2"
    trace = explain(feed, world.query("sa"), world.position("d4"))
    assert (trace.ranked_by, trace.why_not_learned, trace.probabilities) == (
        "value",
        None,
        {"play": 0.5, "hide": 0.5},
    )
    unknown = built(model, {"value": {"values": {"save": 1.0}}})
    assert (unknown.ranked_by, unknown.why_not_learned) == (
        "weighted",
        "it has not learned how likely these are: save",
    )


def test_a_trace_says_why_not() -> None:
    world = toy_world()
    trace = explain(built(None), world.query("sa"), world.position("d4"))
    assert (trace.ranked_by, trace.why_not_learned, trace.probabilities) == (
        "weighted",
        "none is published yet",
        {},
    )


def test_the_own_ranker_cannot_weigh_its_own_score() -> None:
    world = toy_world()
    home = {
        "retrieve": {"popular": {}},
        "rank": {"weighted": {"weights": {"own": 1.0}}},
        "learned": {"click_model": {}},
    }
    told = parse_recipe({**RECIPE, "feeds": {"home": home}}, "a test")
    with pytest.raises(RecipeError, match=r"weights\.own: no such feature; expected some of popular, bias$"):
        build_feeds(told, world.resources)
