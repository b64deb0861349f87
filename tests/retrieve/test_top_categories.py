"""Top categories: which they are, and the order in rounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from homefeed.errors import RecipeError
from homefeed.protocols import Retriever
from homefeed.retrieve.top_categories import TopCategories
from homefeed.testing import RetrieverContract, World, make_world, toy_item, toy_world
from homefeed.types import Condition, Query


def top(world: World, **config: Any) -> TopCategories:
    return TopCategories(TopCategories.Config.model_validate({"field": "content_type"} | config), world.resources)


def found(world: World, query: Query | None = None, k: int = 100, **config: Any) -> tuple[str, ...]:
    return world.ids(top(world, **config).retrieve(query or world.query(), k)[0])


def play(world: World, item_id: str, times: int = 1, strength: float = 1.0) -> None:
    world.choose(np.repeat(world.positions(item_id), times), strength)


def new_shop(**counts: tuple[str | None, float | None]) -> World:
    """Items by id, of a category and counted elsewhere; nobody has played any."""
    items = [
        toy_item(n, item_id, n, content_type=category, year=count)
        for n, (item_id, (category, count)) in enumerate(counts.items())
    ]
    return make_world(items, ())


class TestTopCategories(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return top(world)

    def requests(self, world: World) -> dict[str, Query]:
        return super().requests(world) | {"old": world.query(conditions=(Condition("year", "<", "2021"),))}


class TestTopCategoriesOfFew(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return top(world, categories=2, each=2, count="year")


def test_the_best_of_each_come_in_rounds() -> None:
    # Series have 10 plays, movies 9, microdramas 4. Nobody played d4 and s4; x1 is of no type and h1 hidden.
    world = toy_world()
    positions, scores = top(world).retrieve(world.query(), 100)
    assert world.ids(positions) == ("d1", "s1", "c2", "d2", "s2", "c1", "s3", "d3", "d4", "s4")
    assert scores.tolist() == pytest.approx([1 / n for n in range(1, 11)])
    assert found(world, k=4) == ("d1", "s1", "c2", "d2")


def test_only_so_many_categories_and_so_many_of_each() -> None:
    world = toy_world()
    assert found(world, categories=2, each=2) == ("d1", "s1", "d2", "s2")
    assert found(world, categories=1) == ("d1", "d2", "s3", "d4")
    assert found(world, each=1) == ("d1", "s1", "c2")


def test_six_categories_and_sixty_of_each_unless_told_otherwise() -> None:
    counts = {f"c{n}": (f"category {n % 7}", None) for n in range(7)} | {f"a{n}": ("a", None) for n in range(70)}
    shown = found(new_shop(**counts), k=200)
    assert len(shown) == 60 + 5
    assert sum(item_id.startswith("a") for item_id in shown) == 60


def test_a_category_is_as_popular_as_what_of_it_can_be_shown() -> None:
    world = toy_world()
    # Without d1 series have 5 plays.
    assert found(world, world.query(exclude=("d1",)), categories=1) == ("s1", "s2", "d3", "s4")
    comedy = world.query(conditions=(Condition("genre", ":", "Comedy"),))
    assert found(world, comedy, categories=2) == ("c2", "c1")
    few = world.query(exclude=("d1", "d2", "s3", "c1", "c2"))
    assert found(world, few, categories=2) == ("s1", "d4", "s2", "d3", "s4")


def test_events_and_strength_weigh_as_told() -> None:
    world = new_shop(watched=("a", None), abandoned=("b", None))
    play(world, "watched", 2)
    play(world, "abandoned", 5, 0.0)
    # 2 ln 3 = 2.20 beside ln 6 = 1.79.
    assert found(world) == ("watched", "abandoned")
    assert found(world, strength_weight=0.0) == ("abandoned", "watched")
    assert found(world, events_weight=0.0) == ("watched", "abandoned")


def test_a_new_shop_goes_by_what_is_counted_elsewhere() -> None:
    world = new_shop(
        c1=("c", -5), a1=("a", 10), a2=("a", 500), b1=("b", 2_000), b2=("b", None), none=(None, 10**6)
    )
    # Categories have 510, 2,000 and 0; an item of a category that nobody counted still stands behind the others.
    assert found(world, count="year") == ("b1", "a2", "c1", "b2", "a1")
    # Without the field: by how many there are, then by which came first; within each the newest first.
    assert found(world) == ("a2", "b2", "c1", "a1", "b1")


def test_counts_may_be_as_large_as_floats() -> None:
    world = new_shop(a=("a", 10), b1=("b", 1e308), b2=("b", 1.5e308))
    assert found(world, count="year") == ("b2", "a", "b1")


def test_one_event_outweighs_whatever_is_counted_elsewhere() -> None:
    world = new_shop(a=("a", 500_000), b1=("b", 10), b2=("b", 20))
    play(world, "b1", 1, 0.0)
    assert found(world, count="year") == ("b1", "a", "b2")


def test_a_change_shows_once_refreshed() -> None:
    world = toy_world()
    retriever = top(world, categories=1, each=1)
    retriever.refresh()
    before = retriever._grouped.groups()
    retriever.refresh()
    assert retriever._grouped.groups() is before, "nothing changed, so nothing is sorted"
    play(world, "c1", 20)
    assert world.ids(retriever.retrieve(world.query(), 9)[0]) == ("d1",)
    retriever.refresh()
    assert world.ids(retriever.retrieve(world.query(), 9)[0]) == ("c1",)
    world.catalog.apply([toy_item(6, "c1", 40, content_type="short", year=2024)])
    retriever.refresh()
    assert retriever.reasons(world.query(), world.positions("c1")) == ["Popular in short"]


def test_what_comes_is_in_the_next_order() -> None:
    world = new_shop(a1=("a", None))
    assert found(world) == ("a1",)
    world.catalog.apply([toy_item(1, "a2", 0, content_type="a"), toy_item(2, "b1", 0, content_type="b")])
    assert found(world) == ("a2", "b1", "a1")


def test_the_reason_names_the_category() -> None:
    world = toy_world()
    asked = world.positions("d1", "c2", "s4", "x1")
    assert top(world).reasons(world.query(), asked) == [
        "Popular in series",
        "Popular in microdrama",
        "From movie",
        None,
    ]
    assert top(world, count="year").reasons(world.query(), asked)[2] == "Popular in movie"


def test_what_one_person_did_is_not_told_two_events_or_one_counted_elsewhere_are() -> None:
    world = new_shop(played=("a", 0), counted=("a", 1), neither=("a", 0))
    asked = world.positions("played", "counted", "neither")
    said = []
    for _ in range(2):
        play(world, "played")
        said.append(top(world, count="year").reasons(world.query(), asked))
    assert said == [["From a", "Popular in a", "From a"], ["Popular in a", "Popular in a", "From a"]]


def test_the_field_has_to_be_a_category() -> None:
    with pytest.raises(RecipeError, match='year is declared as "number"; expected "category"'):
        top(toy_world(), field="year")
    with pytest.raises(RecipeError, match='genre is declared as "tags"; expected "number"'):
        top(toy_world(), count="genre")
