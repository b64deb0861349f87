"""Tag overlap: a profile of tags by hand, and by brute force."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.errors import RecipeError
from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.tag_overlap import TagOverlap
from homefeed.taste import weighted_seeds
from homefeed.testing import World, make_world, toy_item, toy_world
from homefeed.testing.features import FeatureContract, everything
from homefeed.testing.requests import toy_history
from homefeed.types import Query

TAGS: tuple[list[str] | None, ...] = (
    ["tea", "cats"],
    ["cats", "dogs"],
    ["TEA"],
    None,
    ["chess"],
    ["tea", "cats", "dogs", "chess", "go", "rugs"],
)
WORLD = make_world([toy_item(place, f"i{place}", 1, genre=tags) for place, tags in enumerate(TAGS)], ())


def overlap(world: World, field: str = "genre", **config: Any) -> TagOverlap:
    return TagOverlap(TagOverlap.Config.model_validate({"field": field, **config}), world.resources)


def values(query: Query, **config: Any) -> list[float]:
    return [float(value) for value in overlap(WORLD, **config).extract(query, everything(WORLD))[:, 0]]


def squashed(*sums: float) -> list[float]:
    return [value / (1 + abs(value)) for value in sums]


class TestTagOverlap(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return overlap(world, interests="interests")


def test_a_profile_by_hand() -> None:
    # tea 1, cats 1 - 0.5, dogs -0.5; the other tags nothing.
    query = WORLD.query("u", history=toy_history(WORLD, {"i0": 1.0, "i1": -0.5, "i3": 1.0}))
    expected = squashed(1.5 / math.sqrt(2), 0.0, 1.0, 0.0, 0.0, 1.0 / math.sqrt(6))
    assert values(query) == pytest.approx(expected, abs=1e-4)


def test_declared_tags_count_beside_the_history() -> None:
    query = WORLD.query(
        "u", history=toy_history(WORLD, {"i2": 0.5}), attributes={"likes": ["Chess", "chess", "x", "tea"]}
    )
    expected = squashed(2.5 / math.sqrt(2), 0.0, 2.5, 0.0, 2.0, 4.5 / math.sqrt(6))
    assert values(query, interests="likes", interests_weight=2.0) == pytest.approx(expected, abs=1e-4)
    assert values(query)[4] == 0


@pytest.mark.parametrize(
    ("value", "known"),
    [("chess|dogs", True), (" CHESS ", True), (("chess",), True), (["chess", 3], False), (7, False), ("", False)],
)
def test_interests_are_a_list_or_separated_by_bars(value: Any, known: bool) -> None:
    found = values(WORLD.query("cold", attributes={"likes": value}), interests="likes")
    assert found[4] == (0.5 if known else 0.0)


def test_a_feed_about_an_item_starts_from_its_tags_alone() -> None:
    query = WORLD.query("u", history=toy_history(WORLD, {"i4": 1.0}), attributes={"likes": "chess"}, anchor="i2")
    assert values(query, interests="likes") == pytest.approx(
        squashed(1 / math.sqrt(2), 0, 1, 0, 0, 1 / math.sqrt(6)), abs=1e-6
    )


def test_only_the_latest_events_count() -> None:
    query = WORLD.query("u", history=toy_history(WORLD, {"i4": 1.0, "i2": 1.0}))
    assert values(query, max_events=1)[2:5] == pytest.approx([0.5, 0.0, 0.0])


@given(
    st.dictionaries(st.sampled_from([f"i{n}" for n in range(6)]), st.sampled_from([-1.0, 0.0, 0.5, 1.0])),
    st.lists(st.sampled_from(["tea", "dogs", "go", "nothing"]), max_size=4),
)
def test_profiles_by_brute_force(history: dict[str, float], likes: list[str]) -> None:
    query = WORLD.query("u", history=toy_history(WORLD, history), attributes={"likes": likes})
    profile = dict.fromkeys(likes, 1.0)
    for item, weight in zip(*(column.tolist() for column in weighted_seeds(query, 50, 30.0)), strict=True):
        for tag in TAGS[item] or ():
            profile[tag.lower()] = profile.get(tag.lower(), 0.0) + weight
    sums = [
        sum(profile.get(tag.lower(), 0.0) for tag in tags) / math.sqrt(len(tags)) if tags else 0.0 for tags in TAGS
    ]
    assert values(query, interests="likes") == pytest.approx(squashed(*sums), abs=1e-5)


@pytest.mark.parametrize("field", ["tags", "content_type"])
def test_a_field_that_holds_no_tags_is_refused(field: str) -> None:
    with pytest.raises(RecipeError, match='expected "tags"'):
        overlap(toy_world(), field)
