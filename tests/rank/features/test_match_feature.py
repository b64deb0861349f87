"""Match: the item's category and the user's attribute."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from homefeed.errors import RecipeError
from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.match import Match
from homefeed.testing import World, make_world, toy_item, toy_world
from homefeed.testing.features import FeatureContract, everything

BLOCKS = ("A", "B", "a", None, "", "None", "True")
WORLD = make_world([toy_item(place, f"i{place}", 1, content_type=block) for place, block in enumerate(BLOCKS)], ())


def match(world: World, field: str = "content_type") -> Match:
    return Match(Match.Config(item=field, user="block"), world.resources)


class TestMatch(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return match(world)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("A", [0, 2]),
        ("b", [1]),
        ("C", []),
        ("", []),
        (None, []),
        ("None", [5]),
        (True, [6]),
        (["A", "b"], [0, 1, 2]),
        (("C", None, "b"), [1]),
        ([], []),
        ([["A"]], []),
        ({"A": 1}, []),
    ],
)
def test_equal_whatever_the_letter_case(value: Any, expected: list[int]) -> None:
    features = match(WORLD).extract(WORLD.query("u", attributes={"block": value}), everything(WORLD))
    assert set(features.ravel().tolist()) <= {0.0, 1.0}
    assert np.flatnonzero(features[:, 0]).tolist() == expected


def test_numbers_in_a_list_match_categories_that_are_numbers() -> None:
    """As `preferred_categories` are, over HTTP and from files."""
    world = make_world(
        [toy_item(place, f"i{place}", 1, content_type=code) for place, code in enumerate("0347")], ()
    )
    for told in ([3, 7], [3.0, 7], ["3", "7", "12"]):
        features = match(world).extract(world.query("u", attributes={"block": told}), everything(world))
        assert features.ravel().tolist() == [0, 1, 0, 1]


def test_of_a_long_list_the_first_hundred_count() -> None:
    for extra, expected in ((99, [0, 2]), (100, [])):
        query = WORLD.query("u", attributes={"block": ["C"] * extra + ["A"]})
        assert np.flatnonzero(match(WORLD).extract(query, everything(WORLD))[:, 0]).tolist() == expected


def test_a_user_without_the_attribute_matches_nothing() -> None:
    for query in (WORLD.query(), WORLD.query("u", attributes={"content_type": "A"})):
        assert not match(WORLD).extract(query, everything(WORLD)).any()


def test_it_is_named_after_the_field() -> None:
    assert match(toy_world()).names == ("content_type_match",)


@pytest.mark.parametrize("field", ["block", "genre"])
def test_a_field_that_is_no_category_is_refused(field: str) -> None:
    with pytest.raises(RecipeError, match=rf'items\.fields\.{field} is .*; expected "category"'):
        match(toy_world(), field)
