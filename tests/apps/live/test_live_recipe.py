"""What the recipe of live declares, and what its categories are called."""

from __future__ import annotations

import pytest
from tests.apps.live.live_sample import RECIPE

from homefeed.apps.live.categories import NAMES, category_condition
from homefeed.engine import build_feeds, empty_catalog, resources_of
from homefeed.engine.build import counters_of
from homefeed.errors import InvalidError
from homefeed.samples.live.categories import CATEGORIES
from homefeed.samples.live.clicks import FEATURES
from homefeed.types import Item


def test_categories_are_called_what_the_sample_calls_them() -> None:
    assert NAMES == CATEGORIES


def test_a_category_is_a_number_a_name_or_what_streams_have() -> None:
    catalog = empty_catalog(RECIPE)
    streams = {"a": "3", "b": "Chess", "c": "cooking"}
    catalog.apply(
        [Item(name, n + 1, {"category_id": told}, None) for n, (name, told) in enumerate(streams.items())]
    )
    for told, value in (
        (3, "3"),
        (77, "77"),
        ("3", "3"),
        ("CHESS", "CHESS"),
        (" dance ", "12"),
        ("Cooking", "Cooking"),
    ):
        assert category_condition(catalog, told).value == value
    with pytest.raises(InvalidError, match=r'no category "77"; expected a number, or one of Talk, Shooters'):
        category_condition(catalog, "77")


@pytest.mark.parametrize("name", list(RECIPE.feeds))
def test_every_feed_is_of_what_is_live_and_allowed(name: str) -> None:
    filters = {spec.part: spec.config.model_dump() for spec in RECIPE.feeds[name].filter}
    assert filters["having"]["field"] == "is_live"
    assert filters["permitted"]["field"] == "mature_content"
    assert "seen" not in filters


def test_the_weights_are_the_contracts_and_stay_so() -> None:
    config = RECIPE.feeds["hometown"].rank.config.model_dump()
    assert config["weights"]["local"] == 1.5
    assert set(config["fixed"]) == set(config["weights"])
    assert RECIPE.goal_feeds == ("home_feed",)


def test_the_home_feed_learns_of_users_streams_time_and_their_match() -> None:
    catalog = empty_catalog(RECIPE)
    feed = build_feeds(RECIPE, resources_of(RECIPE, catalog, counters_of(RECIPE, catalog), {}))["home_feed"]
    assert RECIPE.feeds["home_feed"].learned is not None
    of_each = {
        "user": ("user_local_preference_strength", "user_total_watch_hours", "user_events"),
        "stream": ("stream_quality_score", "viewer_count", "avg_viewer_count", "creator_followers"),
        "time": ("hour_sin", "weekday_cos", "device_mobile"),
        "match": ("language_match", "city_match", "category_id_match", "distance_km", "local"),
    }
    for names in of_each.values():
        assert set(names) <= set(feed.feature_names)


def test_the_click_model_has_the_contracts_fourteen_features() -> None:
    (declared,) = (spec.config.model_dump() for spec in RECIPE.pair_models)
    assert list(declared["features"]) == list(FEATURES)
    assert len(FEATURES) == 14
    assert RECIPE.feeds["hometown"].rank.config.model_dump()["weights"]["click_probability"] == 0.5
