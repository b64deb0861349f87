"""Context: the clock of the request, and what it passes on."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from tests.rank.features.feature_sample import columns_of

from homefeed.errors import RecipeError
from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.context import Context
from homefeed.testing import World, toy_world
from homefeed.testing.features import FeatureContract
from homefeed.testing.requests import toy_requests
from homefeed.testing.world import NOW
from homefeed.types import DAY, Query

WORLD = toy_world()
DECLARED = {"device": ("ios", "Android", "web"), "locale": ("en-GB", "de", "日本")}


def context(world: World, **config: Any) -> Context:
    return Context(Context.Config.model_validate(config), world.resources)


def told(query: Query, **config: Any) -> dict[str, float]:
    columns = columns_of(context(WORLD, **config), WORLD, query)
    assert all(len(set(column)) == 1 for column in columns.values())
    return {name: column[0] for name, column in columns.items()}


class TestContext(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return context(world, values=DECLARED)

    def requests(self, world: World) -> dict[str, Query]:
        passed_on = {"device": "IOS", "locale": "", "query": "tea"}
        return toy_requests(world) | {"context": replace(world.query("da"), context=passed_on)}


@pytest.mark.parametrize(
    ("days", "offset", "hour", "weekday"),
    [
        (0, 0, 12, 3),  # NOW is a Thursday at noon
        (0.25, 0, 18, 3),
        (0.5, 0, 0, 4),
        (3, 0, 12, 6),
        (4, 0, 12, 0),
        (0, 5.5, 17.5, 3),
        (0, 12.5, 0.5, 4),
        (0, -12, 0, 3),
        (-20_469, 0, 12, 2),  # the day before 1970
    ],
)
def test_the_clock_goes_round(days: float, offset: float, hour: float, weekday: int) -> None:
    found = told(WORLD.query(now=NOW + int(days * DAY)), utc_offset_hours=offset)
    assert found == pytest.approx(
        {
            "hour_sin": math.sin(math.pi * hour / 12),
            "hour_cos": math.cos(math.pi * hour / 12),
            "weekday_sin": math.sin(math.tau * weekday / 7),
            "weekday_cos": math.cos(math.tau * weekday / 7),
        },
        abs=1e-6,
    )


@pytest.mark.parametrize(
    ("passed_on", "expected"),
    [
        ({"device": "ios"}, {"device_ios"}),
        ({"device": "ANDROID", "locale": "en-gb"}, {"device_android", "locale_en_gb"}),
        ({"locale": "日本", "other": "web"}, {"locale_日本"}),
        ({"device": "tv", "Device": "web", "locale": "en"}, set()),
        ({"device": ""}, set()),
        ({}, set()),
    ],
)
def test_a_declared_value_has_a_feature(passed_on: dict[str, str], expected: set[str]) -> None:
    found = told(replace(WORLD.query(), context=passed_on), values=DECLARED)
    assert list(found)[4:] == [
        *("device_ios", "device_android", "device_web"),
        *("locale_en_gb", "locale_de", "locale_日本"),
    ]
    assert {name for name in list(found)[4:] if found[name] == 1} == expected
    assert {found[name] for name in list(found)[4:]} <= {0, 1}


def test_names_are_words_whatever_a_key_is() -> None:
    found = context(WORLD, values={"3d?": ("½ on", "a.b")}).names[4:]
    assert found == ("_3d____on", "_3d__a_b")


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"device": ("ios", "IOS")}, "device_ios"),
        ({"locale": ("en-gb", "en_gb")}, "locale_en_gb"),
        ({"a": ("b_c",), "a_b": ("c",)}, "a_b_c"),
        ({"hour": ("sin",)}, "hour_sin"),
    ],
)
def test_two_features_of_one_name_are_refused(values: dict[str, Any], name: str) -> None:
    with pytest.raises(
        RecipeError, match=rf"^values\.\w+: the feature of .* would be called {name}, as another is"
    ):
        context(WORLD, values=values)


def test_a_time_that_the_request_passes_on_is_the_clock_of_these_features_alone() -> None:
    # 2022-01-01 00:00 UTC was a Saturday.
    passed = replace(WORLD.query(), context={"timestamp": "1640995200"})
    found = told(passed, time_key="timestamp")
    saturday = math.tau * 5 / 7
    assert found == pytest.approx(
        {"hour_sin": 0, "hour_cos": 1, "weekday_sin": math.sin(saturday), "weekday_cos": math.cos(saturday)},
        abs=1e-6,
    )
    assert told(passed) == told(WORLD.query())


@pytest.mark.parametrize("text", ["", "soon", "nan", "1e300", "-1", "99999999999"])
def test_what_is_no_time_leaves_the_clock_as_it_is(text: str) -> None:
    passed = replace(WORLD.query(), context={"timestamp": text})
    assert told(passed, time_key="timestamp") == told(WORLD.query())
