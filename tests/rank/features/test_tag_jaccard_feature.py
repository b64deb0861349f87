"""Tag Jaccard: sets by hand, letter case, tags that no item has."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.protocols import FeatureExtractor
from homefeed.rank.features.tag_jaccard import TagJaccard
from homefeed.testing import World, make_world, toy_item
from homefeed.testing.features import FeatureContract, everything

TAGS: tuple[list[str] | None, ...] = (
    ["tea", "cats"],
    ["cats", "dogs"],
    ["TEA"],
    None,
    ["tea", "cats", "dogs", "go"],
)
WORLD = make_world([toy_item(place, f"i{place}", 1, genre=tags) for place, tags in enumerate(TAGS)], ())


def jaccard(world: World, **config: Any) -> TagJaccard:
    return TagJaccard(TagJaccard.Config.model_validate({"field": "genre", **config}), world.resources)


def values(**attributes: Any) -> list[float]:
    extractor = jaccard(WORLD, user_fields=["interests", "preferred_tags"])
    query = WORLD.query("u", attributes=attributes)
    return [float(value) for value in extractor.extract(query, everything(WORLD))[:, 0]]


class TestTagJaccard(FeatureContract):
    def make(self, world: World) -> FeatureExtractor:
        return jaccard(world)


def test_what_is_shared_over_what_either_has() -> None:
    assert values(interests=["Tea", "cats"]) == pytest.approx([1, 1 / 3, 1 / 2, 0, 2 / 4])
    # Three tags, one of which no item has.
    assert values(interests="tea|chess", preferred_tags=["CATS"]) == pytest.approx([2 / 3, 1 / 4, 1 / 3, 0, 2 / 5])


@pytest.mark.parametrize("value", [None, "", 7, {"tea": 1}, [1, 2], "chess"])
def test_who_names_no_tag_of_an_item_has_none_in_common(value: Any) -> None:
    assert values(interests=value) == [0] * len(TAGS)


@given(st.lists(st.sampled_from(["tea", "cats", "dogs", "go", "chess", "Tea"]), max_size=8))
def test_it_is_the_jaccard_similarity_of_sets(told: list[str]) -> None:
    mine = {tag.lower() for tag in told}
    sets = [{tag.lower() for tag in tags or []} for tags in TAGS]
    expected = [len(mine & tags) / len(mine | tags) if mine | tags else 0 for tags in sets]
    assert values(interests=told) == pytest.approx(expected)
