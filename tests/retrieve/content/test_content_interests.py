"""Declared interests: by themselves, beside a history, and as the reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.catalog import Resources
from homefeed.errors import RecipeError
from homefeed.protocols import Retriever
from homefeed.retrieve.content import Content
from homefeed.retrieve.content.model import ContentModel
from homefeed.scope import RequestScope
from homefeed.testing import RetrieverContract, World, empty_world, make_world, toy_world
from homefeed.testing.requests import NEW_ITEM, toy_history, toy_requests
from homefeed.testing.world import ITEMS, toy_item
from homefeed.types import Floats, Query

GENRES = ("drama", "scifi", "comedy")


def by_genre(world: World, vectors: Floats | None = None, **settings: Any) -> Content:
    """Every genre a direction of its own: drama (1, 0, 0), scifi (0, 1, 0), comedy (0, 0, 1)."""
    words = {f"genre={genre}": column for column, genre in enumerate(GENRES)}
    weights, components = np.ones(3, np.float32), np.eye(3, dtype=np.float32)
    model = ContentModel(np.empty(0, np.int32), np.empty((0, 3), np.float32), words, weights, components)
    embedded = model.embed([{"genre": terms} for terms in world.catalog.terms("genre")])
    numbers = world.catalog.numbers.copy()
    model = replace(model, numbers=numbers, vectors=embedded if vectors is None else vectors)
    config = Content.Config(**{"interests": "likes", "interests_field": "genre"} | settings)
    return Content(config, Resources(world.catalog, world.counters, {"content": model}))


def declaring(query: Query, likes: object) -> Query:
    return replace(query, user=replace(query.user, attributes={"likes": likes}), scope=RequestScope())


def asked(world: World, likes: object, history: dict[str, float] | None = None) -> Query:
    return declaring(world.query("u", history=toy_history(world, history or {})), likes)


def found(world: World, retriever: Content, query: Query) -> dict[str, float]:
    positions, scores = retriever.retrieve(query, 100)
    return dict(zip(world.ids(positions), scores.tolist(), strict=True))


WORLD = toy_world()
RETRIEVER = by_genre(WORLD)


class TestContentByInterests(RetrieverContract):
    def make(self, world: World) -> Retriever:
        config = Content.Config(interests="likes", interests_field="genre")
        return Content(config, world.resources)

    def requests(self, world: World) -> dict[str, Query]:
        return {name: declaring(query, ["SciFi", "Western"]) for name, query in toy_requests(world).items()}


@pytest.mark.parametrize("likes", ["SciFi", ["scifi"], " SCIFI |", ["SciFi", "Western"], ("SciFi", "scifi")])
def test_without_a_history_interests_alone_propose(likes: object) -> None:
    world = toy_world()
    assert found(world, by_genre(world), asked(world, likes)) == dict.fromkeys(("s1", "s2", "s3", "s4"), 1.0)


def test_interests_share_a_profile_of_length_one() -> None:
    world = toy_world()
    scores = found(world, by_genre(world), asked(world, "SciFi|Drama"))
    assert scores == pytest.approx(dict.fromkeys(("s1", "s2", "s3", "s4", "d1", "d2", "d3", "d4"), 0.5**0.5))


@pytest.mark.parametrize(
    ("weight", "drama", "scifi"),
    [(0.0, 1, None), (1.0, 2 / 5**0.5, 1 / 5**0.5), (2.0, 0.5**0.5, 0.5**0.5), (4.0, 1 / 5**0.5, 2 / 5**0.5)],
)
def test_interests_count_as_much_as_events_of_that_weight(
    weight: float, drama: float, scifi: float | None
) -> None:
    world = toy_world()
    query = asked(world, "SciFi", {"d1": 1.0, "d3": 1.0})
    scores = found(world, by_genre(world, interests_weight=weight), query)
    assert scores["d4"] == pytest.approx(drama, abs=1e-4)
    assert scores.get("s4") == (None if scifi is None else pytest.approx(scifi, abs=1e-4))


def test_a_feed_about_an_item_is_about_nothing_else() -> None:
    world = toy_world()
    query = declaring(world.query("u", anchor="d1"), "SciFi")
    assert set(found(world, by_genre(world), query)) == {"d2", "d3", "d4"}
    assert by_genre(world).reasons(query, world.positions("s1")) == [None]


@pytest.mark.parametrize(
    "likes",
    [None, "", "|", [], [""], "Western", 7, True, 1.5, {"SciFi": 1}, ["SciFi", 7], [["SciFi"]], [None], "x" * 999],
)
def test_what_is_no_list_of_known_tags_is_no_interests(likes: object) -> None:
    world = toy_world()
    retriever = by_genre(world)
    query = asked(world, likes)
    assert found(world, retriever, query) == {}
    assert retriever.reasons(query, world.positions("s1")) == [None]
    with_history = asked(world, likes, {"d1": 1.0})
    assert found(world, retriever, with_history) == found(world, by_genre(world, interests=None), with_history)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from(["SciFi", "drama|", "|"]),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_no_attribute_is_an_error(likes: object) -> None:
    query = asked(WORLD, likes)
    positions, _ = RETRIEVER.retrieve(query, 100)
    assert len(RETRIEVER.reasons(query, positions)) == len(positions)


def test_nobody_said_where_interests_are() -> None:
    world = toy_world()
    assert found(world, by_genre(world, interests=None), asked(world, "SciFi")) == {}
    assert found(world, by_genre(world), world.query("cold")) == {}


def test_the_reason_is_whatever_added_most() -> None:
    world = toy_world()
    positions = world.positions("d3", "s1", "s2", "d1", "c1")
    query = asked(world, "scifi", {"d1": 1.0, "s1": 0.5})
    assert by_genre(world).reasons(query, positions) == [
        "Similar to Harbour Lights",
        "Matches your interest in scifi",  # itself in the history, by half an event: the interest says more
        "Matches your interest in scifi",
        "You chose this before",
        None,
    ]
    assert by_genre(world, interests_weight=0.25).reasons(query, positions)[2] == "Similar to Star Harvest"
    custom = by_genre(world, reason_interests="As you like {tags}")
    assert custom.reasons(query, positions)[2] == "As you like scifi"


def test_the_reason_names_at_most_two_interests_that_the_item_has_in_the_users_words() -> None:
    item = toy_item(0, "i", 1, title="All", genre=["Comedy", "Drama", "SciFi"])
    world = make_world([item, *ITEMS[1:3]], ())
    retriever, position = by_genre(world), world.positions("i", "d2", "d3")
    query = asked(world, "western|SCIFI|romance|drama|Drama|comedy")
    assert retriever.reasons(query, position) == [
        "Matches your interest in SCIFI and drama",
        "Matches your interest in romance and drama",
        "Matches your interest in drama",
    ]


def test_an_item_that_is_only_near_an_interest_does_not_match_it() -> None:
    world = toy_world()
    vectors = np.tile(np.array([0, 1, 0], np.float32), (world.catalog.size, 1))
    retriever = by_genre(world, vectors)
    positions = world.positions("c1", "s2")
    assert retriever.reasons(asked(world, "SciFi"), positions) == [None, "Matches your interest in SciFi"]
    assert retriever.reasons(asked(world, "SciFi", {"s1": 0.5}), positions) == [
        "Similar to Star Harvest",
        "Matches your interest in SciFi",
    ]


def test_an_interest_is_no_reason_against_an_item() -> None:
    world = toy_world()
    retriever = by_genre(world, -by_genre(world)._items.array)
    assert retriever.reasons(asked(world, "SciFi"), world.positions("s1")) == [None]


def test_an_interest_matches_a_new_item_once_it_is_embedded() -> None:
    world = toy_world()
    retriever, query = by_genre(world), asked(world, "Drama")
    world.catalog.apply([NEW_ITEM])
    assert retriever.reasons(query, world.positions("new")) == [None]
    retriever.refresh()
    assert retriever.reasons(query, world.positions("new")) == ["Matches your interest in Drama"]


def test_interests_are_embedded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    world = toy_world()
    retriever = by_genre(world)
    expected = found(world, retriever, asked(world, "SciFi|Drama"))
    monkeypatch.delattr(ContentModel, "embed")
    assert found(world, retriever, asked(world, ["SciFi", "Drama"])) == expected


def test_interests_must_be_words_of_a_declared_field() -> None:
    world = toy_world()
    with pytest.raises(RecipeError, match=r'interests_field names "tags", .*expected one of title, content_type'):
        Content(Content.Config(interests="likes"), world.resources)


@pytest.mark.parametrize("trained", [True, False])
def test_without_a_model_or_words_interests_find_nothing(trained: bool) -> None:
    world = empty_world() if trained else toy_world()
    models = world.resources.models if trained else {}
    config = Content.Config(interests="likes", interests_field="genre")
    retriever = Content(config, Resources(world.catalog, world.counters, models))
    assert found(world, retriever, declaring(world.query("u"), "Drama")) == {}
    world.catalog.apply([NEW_ITEM])
    assert retriever.reasons(declaring(world.query("u"), "Drama"), world.positions("new")) == [None]
