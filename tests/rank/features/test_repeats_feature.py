"""Repeats: how often and how long ago, of the item and of its categories."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rank.features.feature_sample import columns_of, history_of

from homefeed.errors import RecipeError
from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.repeats import Repeats
from homefeed.testing import World, make_world, toy_item, toy_world
from homefeed.testing.features import FeatureContract
from homefeed.testing.world import NOW
from homefeed.types import DAY, History

CREATORS = ("ann", "bob", "ann", None, "cyd", "Ann")
WORLD = make_world(
    [toy_item(place, f"i{place}", 1, content_type=creator) for place, creator in enumerate(CREATORS)], ()
)
TWICE, ONCE = math.log(3), math.log(2)


def repeats(world: World, *of: str, half_life_days: float = 7.0) -> Repeats:
    return Repeats(Repeats.Config(of=of, half_life_days=half_life_days), world.resources)


def told(history: History, half_life_days: float = 7.0) -> dict[str, list[float]]:
    query = WORLD.query("u", history=history)
    return columns_of(repeats(WORLD, "content_type", half_life_days=half_life_days), WORLD, query)


class TestRepeats(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return repeats(world, "content_type")


def test_how_often_and_how_long_ago_by_hand() -> None:
    # Item 0 twice and 2 once, all of ann; bob's was met once, and disliked; nobody's item 3 once.
    history = history_of((0, 1.0, 28), (1, 0.0, 14), (1, -1.0, 7), (3, 0.5, 7), (2, 1.0, 7), (0, 0.25, 3.5))
    found = told(history)
    assert found["item_repeats"] == pytest.approx([TWICE, ONCE, ONCE, ONCE, 0, 0])
    assert found["item_since"] == pytest.approx([2**-0.5, 0.25, 0.5, 0.5, 0, 0])
    ann = math.log(4)
    assert found["content_type_repeats"] == pytest.approx([ann, ONCE, ann, 0, 0, ann])
    assert found["content_type_since"] == pytest.approx([2**-0.5, 0.25, 2**-0.5, 0, 0, 2**-0.5])
    assert told(history, half_life_days=14)["item_since"] == pytest.approx([2**-0.25, 0.5, 2**-0.5, 2**-0.5, 0, 0])


def test_dislikes_alone_are_no_repeats() -> None:
    for history in (history_of((0, -1.0, 1), (0, -0.5, 0)), history_of()):
        assert list(told(history).values()) == [[0] * len(CREATORS)] * 4


def test_an_event_to_come_counts_as_of_now() -> None:
    assert told(history_of((0, 1.0, -9)))["item_since"][0] == 1


def test_it_goes_by_the_days_that_the_feed_looks_at() -> None:
    query = WORLD.query("u", history=history_of((0, 1.0, 40), (1, 1.0, 1)))
    recent = replace(query, user=query.user.since(NOW - 30 * DAY))
    assert columns_of(repeats(WORLD), WORLD, recent)["item_repeats"][:2] == pytest.approx([0, ONCE])


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from([-1.0, 0.0, 0.25, 1.0]), st.integers(-3, 200)), max_size=12
    )
)
def test_counts_by_brute_force(events: list[tuple[int, float, float]]) -> None:
    found = told(history_of(*events))
    kinds = {"item": range(6), "content_type": [(creator or "").lower() for creator in CREATORS]}
    for kind, codes in kinds.items():
        for place, code in enumerate(codes):
            ages = [max(days, 0) for item, strength, days in events if codes[item] == code and strength >= 0]
            ages = [] if code == "" else ages
            assert found[f"{kind}_repeats"][place] == pytest.approx(math.log(1 + len(ages)))
            assert found[f"{kind}_since"][place] == pytest.approx(2 ** (-min(ages) / 7) if ages else 0)


def test_it_is_named_after_the_fields() -> None:
    assert repeats(WORLD).names == ("item_repeats", "item_since")
    assert repeats(WORLD, "content_type").names[2:] == ("content_type_repeats", "content_type_since")


@pytest.mark.parametrize("field", ["creator_id", "genre"])
def test_a_field_that_is_no_category_is_refused(field: str) -> None:
    with pytest.raises(RecipeError, match='expected "category"'):
        repeats(toy_world(), field)


@pytest.mark.parametrize("of", [("content_type", "content_type"), ("item",)])
def test_two_features_of_one_name_are_refused(of: tuple[str, ...]) -> None:
    with pytest.raises(RecipeError, match=rf"^of: two features would be called {of[0]}_repeats"):
        repeats(toy_world(), *of)
