"""Retrieval within the user's own group, by whichever retriever can."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from homefeed.errors import RecipeError
from homefeed.protocols import Retriever
from homefeed.retrieve.fresh import Fresh
from homefeed.retrieve.popular import Popular
from homefeed.retrieve.trending import Trending
from homefeed.retrieve.within import EVERYTHING, Within, WithinConfig
from homefeed.testing import RetrieverContract, World, toy_world
from homefeed.testing.requests import frozen
from homefeed.testing.world import FRESH, POPULAR, TRENDING
from homefeed.types import Condition, Query

PARTS: dict[str, Any] = {"popular": Popular, "fresh": Fresh, "trending": Trending}
ORDERS = {"popular": POPULAR, "fresh": FRESH, "trending": TRENDING}
WORLD = toy_world()


def retriever(world: World, name: str, **config: str) -> Retriever:
    part = PARTS[name]
    made: Retriever = part(part.Config.model_validate({"within": "content_type", **config}), world.resources)
    return made


class Suite(RetrieverContract):
    """Of users in a group, in another, in none that anybody knows, and without one."""

    def requests(self, world: World) -> dict[str, Query]:
        groups = {"series": "series", "movies": "MOVIE", "unknown": "opera", "none": None, "odd": ["series"]}
        return super().requests(world) | {
            f"group {name}": world.query("da", attributes={"content_type": value})
            for name, value in groups.items()
        }


class TestPopularWithin(Suite):
    def make(self, world: World) -> Retriever:
        return retriever(world, "popular")


class TestFreshWithin(Suite):
    def make(self, world: World) -> Retriever:
        return retriever(world, "fresh")


class TestTrendingWithin(Suite):
    def make(self, world: World) -> Retriever:
        return retriever(world, "trending")


def types_of(world: World) -> dict[str, str]:
    return {
        world.catalog.item_id(p): (world.catalog.terms_at("content_type", p) or ("",))[0]
        for p in range(world.catalog.size)
    }


@pytest.mark.parametrize("name", PARTS)
@pytest.mark.parametrize("group", ["series", "movie", "Microdrama"])
def test_the_usual_order_narrowed_to_the_group(name: str, group: str) -> None:
    query = WORLD.query("da", attributes={"content_type": group})
    found = WORLD.ids(retriever(WORLD, name).retrieve(query, 100)[0])
    of = types_of(WORLD)
    assert found == tuple(item for item in ORDERS[name] if of[item] == group.lower())
    assert name == "trending" or found


@pytest.mark.parametrize("name", PARTS)
def test_scores_are_those_of_everybody(name: str) -> None:
    query = WORLD.query("da", attributes={"content_type": "series"})
    positions, scores = retriever(WORLD, name).retrieve(query, 100)
    part = PARTS[name]
    every = dict(zip(*part(part.Config(), WORLD.resources).retrieve(query, 100), strict=True))
    assert [every[position] for position in positions] == scores.tolist()


@pytest.mark.parametrize("name", PARTS)
def test_the_users_attribute_may_have_another_name(name: str) -> None:
    part = retriever(WORLD, name, within_user="likes")
    query = WORLD.query("da", attributes={"content_type": "movie", "likes": "microdrama"})
    expected = retriever(WORLD, name).retrieve(WORLD.query("da", attributes={"content_type": "microdrama"}), 9)
    assert part.retrieve(query, 9)[0].tolist() == expected[0].tolist()
    assert len(expected[0])


def mask(query: Query, **config: str) -> list[str]:
    codes, code = Within(WithinConfig.model_validate(config), WORLD.resources).group(frozen(query))
    assert codes.shape == (WORLD.catalog.size,)
    return list(WORLD.ids(np.flatnonzero(query.eligible & (codes == code)).astype(np.int32)))


@pytest.mark.parametrize("attributes", [{}, {"content_type": None}, {"content_type": ""}, {"other": "series"}])
def test_users_without_a_group_are_offered_nothing(attributes: dict[str, Any]) -> None:
    # x1 has no group either: that makes it nobody's, not theirs.
    assert mask(WORLD.query("da", attributes=attributes), within="content_type") == []


def test_what_is_not_eligible_stays_so() -> None:
    query = WORLD.query(
        "da",
        attributes={"content_type": "series"},
        exclude=("d1",),
        conditions=(Condition("genre", ":", "Drama"),),
    )
    # h1 is hidden, s3 science fiction.
    assert mask(query, within="content_type") == ["d2", "d4"]


def test_without_a_field_the_group_is_everything() -> None:
    assert Within(WithinConfig(), WORLD.resources).group(WORLD.query("da")) is EVERYTHING


def test_a_field_that_is_no_category_is_refused() -> None:
    for name in PARTS:
        with pytest.raises(RecipeError, match=r'items\.fields\.genre is declared as "tags"; expected "category"'):
            retriever(WORLD, name, within="genre")


def test_an_attribute_without_a_field_is_refused() -> None:
    with pytest.raises(ValidationError, match="within_user has no meaning without `within`"):
        Popular.Config(within_user="block")
