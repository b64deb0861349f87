"""Features of pairs at serving: each kind by hand, and all of them as the live app's click samples have them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.places_sample import DECLARED, PARIS, located_world
from tests.rank.pairs_sample import PAIR_FEATURES, LiveSample

from homefeed.errors import RecipeError
from homefeed.geo import FARTHEST_KM, Place
from homefeed.labelled import PairFeature
from homefeed.rank.pair_features import PairFeatures
from homefeed.testing import World, make_world, toy_item, toy_world

ITEMS = ("d1", "d2", "s1", "c2", "x1")
"""In Paris, 17.96 km from there, in Tokyo, nowhere, nowhere."""


def told(
    world: World, attributes: Mapping[str, Any], place: Place | None = PARIS, /, **declared: Any
) -> list[float]:
    features = {"one": PairFeature.model_validate(declared)}
    query = world.query("da", attributes=attributes, place=place)
    values = PairFeatures(features, world.catalog).of(query, world.positions(*ITEMS))
    assert values.shape == (len(ITEMS), 1)
    found: list[float] = values[:, 0].tolist()
    return found


def test_how_far_an_item_is() -> None:
    world = located_world()
    kms = [0, 17.96, 9_735, FARTHEST_KM, FARTHEST_KM]
    assert told(world, {}, distance="km") == pytest.approx(kms, rel=5e-3)
    assert told(world, {}, distance="proximity") == pytest.approx([1, 1 / 18.96, 1 / 9_736, 0, 0], rel=5e-3)
    assert told(world, {}, within_km=18) == [1, 1, 0, 0, 0]
    assert told(world, {}, within_km=17.9) == [1, 0, 0, 0, 0]


def test_nothing_is_near_where_no_place_is_known() -> None:
    world = located_world()
    assert told(world, {}, None, distance="km") == [FARTHEST_KM] * 5
    assert told(world, {}, None, distance="proximity") == [0] * 5
    assert told(world, {}, None, within_km=20_000) == [0] * 5


def test_numbers_of_items_and_users() -> None:
    world = located_world()
    assert told(world, {}, item="year") == pytest.approx([2019, 2020, 2018, 2026, math.nan], nan_ok=True)
    assert told(world, {"hours": 2.5}, user="hours") == [2.5] * 5
    assert told(world, {"hours": "7"}, user="hours") == [7] * 5
    odd: tuple[Any, ...] = (None, "many", [], math.inf, 10**400, "nan")
    for other in odd:
        assert np.isnan(told(world, {"hours": other}, user="hours")).all(), other


def test_what_a_field_holds() -> None:
    world = located_world()
    assert told(world, {}, item="content_type", equals="SERIES") == [1, 1, 0, 0, 0]
    assert told(world, {}, item="genre", equals="romance") == [0, 1, 0, 0, 0]
    assert told(world, {}, item="genre", equals="unheard of") == [0] * 5
    assert told(world, {"likes": ["Romance", "x"]}, user="likes", equals="romance") == [1] * 5
    assert told(world, {"likes": "Romance"}, user="likes", equals="drama") == [0] * 5
    assert told(world, {"agrees": True}, user="agrees", equals="true") == [1] * 5


def test_what_a_user_and_an_item_have_in_common() -> None:
    world = located_world()
    assert told(world, {"format": "Series"}, item="content_type", user="format") == [1, 1, 0, 0, 0]
    assert told(world, {"likes": ["romance", "COMEDY"]}, item="genre", user="likes") == [0, 1, 0, 1, 0]
    for other in (None, [], "", {"a": 1}, ["unheard of"], [None]):
        assert told(world, {"likes": other}, item="genre", user="likes") == [0] * 5, other
        assert told(world, {"likes": other}, item="content_type", user="likes") == [0] * 5, other


def test_numbers_are_categories_by_their_digits() -> None:
    fields = {"title": "text", "shelf": "category"}
    items = [toy_item(n, item_id, 1, shelf=n) for n, item_id in enumerate(ITEMS)]
    world = make_world(items, (), declared={**DECLARED, "items": {"fields": fields}, "models": {}, **PLAIN})
    assert told(world, {"shelves": [1, 3.0, True, math.nan, 10**400]}, item="shelf", user="shelves") == [
        0,
        1,
        0,
        1,
        0,
    ]


PLAIN: dict[str, Any] = {
    "signals": {},
    "feeds": {"home": {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}},
}


def test_items_that_came_since_have_theirs() -> None:
    world = located_world()
    features = PairFeatures({"one": PairFeature(item="content_type", equals="play")}, world.catalog)
    query, before = world.query("da"), world.positions("d1")
    assert features.of(query, before).tolist() == [[0]]
    world.catalog.apply([toy_item(12, "new", 1, content_type="play")])
    assert features.of(query, world.positions("new", "d1")).tolist() == [[1], [0]]
    assert features.of(query, world.positions()).shape == (0, 1)


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ({"distance": "km"}, 'one: items have no field of the kind "location"'),
        ({"item": "genre"}, 'items.fields.genre is declared as "tags"; expected "number"'),
        (
            {"item": "year", "user": "year"},
            'items.fields.year is declared as "number"; expected "category" or "tags"',
        ),
        ({"item": "gone", "equals": "x"}, "items.fields.gone is not declared"),
    ],
)
def test_items_without_the_fields_are_refused(declared: dict[str, Any], why: str) -> None:
    with pytest.raises(RecipeError, match=why):
        PairFeatures({"one": PairFeature.model_validate(declared)}, toy_world().catalog)


def test_they_are_those_of_the_click_samples(tmp_path: Path) -> None:
    sample = LiveSample.of(tmp_path)
    world = sample.world()
    features = PairFeatures(PAIR_FEATURES, world.catalog)
    for (user_id,), rows in sample.clicks.group_by("user_id"):
        served = features.of(sample.query(world, str(user_id)), world.positions(*rows["stream_id"]))
        for name, found in zip(PAIR_FEATURES, served.T, strict=True):
            expected = rows[name].to_numpy()
            if name == "distance_km":
                np.testing.assert_allclose(found, expected, rtol=5e-3, atol=5e-4, err_msg=name)  # to the metre
            elif name == "proximity_boost":
                kilometres = rows["distance_km"].to_numpy()
                np.testing.assert_allclose(found, 1 / (1 + kilometres), rtol=5e-3, atol=1e-6, err_msg=name)
            else:
                np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6, err_msg=name)
    assert set(sample.clicks.columns) == {"user_id", "stream_id", *PAIR_FEATURES, "clicked"}
    flags = sample.clicks.select(
        "is_local_match", "same_language", "category_match", "is_partnered", "mature_content"
    )
    assert all(0 < mean < 1 for mean in flags.mean().row(0)), "each is yes for some pairs, and no for others"


def test_a_user_without_attributes_has_features_still(tmp_path: Path) -> None:
    sample = LiveSample.of(tmp_path)
    world = sample.world()
    query = sample.query(world, "user_000001")
    unknown = replace(query, user=replace(query.user, attributes={}), place=None)
    values = PairFeatures(PAIR_FEATURES, world.catalog).of(unknown, np.arange(world.catalog.size, dtype=np.int32))
    named = dict(zip(PAIR_FEATURES, values.T, strict=True))
    for name in ("same_city", "same_language", "category_match", "proximity_boost", "is_regional_match"):
        assert not named[name].any(), name
    assert np.isnan(named["user_local_preference"]).all()
    assert not np.isnan(named["stream_quality_score"]).any()
