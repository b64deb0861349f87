"""Search as a retriever: what a request asks for, of what it may see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from homefeed.protocols import Retriever
from homefeed.retrieve.search import Search
from homefeed.testing import RetrieverContract, World, toy_item, toy_world
from homefeed.testing.requests import NEW_ITEM
from homefeed.types import Query

TEXTS = {
    "a title": "Harbour Lights",
    "a word of many": "drama",
    "a misspelt word": "harbor",
    "the beginning of a word": "orbit",
    "what nobody has": "zzyzx qqxqq",
    "a word and what nobody has": "star zzyzx",
    "signs": "?! *",
    "white space": " \t\n",
    "nothing": "",
    "a very long text": "star " * 5_000 + "x" * 10_000,
    "other scripts": "हिन्दी \u202eعربى\u202c 無線 😀\x00",
    "a hidden title": "Winter Secrets",
}


def search(world: World, **config: object) -> Search:
    fields = {"title": 2.0, "genre": 1.0, "content_type": 0.5}
    return Search(Search.Config.model_validate({"fields": fields, **config}), world.resources)


def asking(query: Query, text: str) -> Query:
    return replace(query, context={"query": text})


def found(world: World, retriever: Retriever, text: str, k: int = 10) -> tuple[str, ...]:
    return world.ids(retriever.retrieve(asking(world.query(), text), k)[0])


class TestSearch(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return search(world)

    def requests(self, world: World) -> dict[str, Query]:
        asked = {name: asking(query, "harbour drama") for name, query in super().requests(world).items()}
        return asked | {f"asks for {name}": asking(world.query(), text) for name, text in TEXTS.items()}


class TestSearchLeniently(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return search(world, min_match=0.0, coverage=0.0)

    def requests(self, world: World) -> dict[str, Query]:
        return {text: asking(world.query("da"), text) for text in TEXTS.values()}


class TestSearchWithoutAQuery(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return search(world)


def test_without_a_query_nothing_is_found() -> None:
    world = toy_world()
    for query in (world.query("da"), asking(world.query("da"), ""), asking(world.query("da"), " \n")):
        positions, scores = search(world).retrieve(query, 10)
        assert len(positions) == len(scores) == 0
        assert search(world).reasons(query, world.positions("d1", "s1")) == [None, None]


def test_the_best_match_comes_first() -> None:
    world = toy_world()
    retriever = search(world, min_match=0.4)
    assert found(world, retriever, "harbour nights") == ("d4", "d1")
    assert found(world, retriever, "harbour nights", 1) == ("d4",)
    assert found(world, search(world), "harbour nights") == ("d4",), "nights are rarer: the rest is less than half"
    assert set(found(world, retriever, "drama")) == {"d1", "d2", "d3", "d4"}
    assert found(world, retriever, "orbital dusc") == ("s4", "s2")


def test_reasons_say_what_of_the_query_an_item_has() -> None:
    world = toy_world()
    query = asking(world.query(), "Star refug")
    assert search(world).reasons(query, world.positions("s3", "d1", "s1")) == [
        'Matches "Star refug (as refuge)"',
        None,
        'Matches "Star"',
    ]
    assert search(world, reason="has {match}").reasons(query, world.positions("s1")) == ["has Star"]


def test_braces_in_a_query_are_letters_to_nobody() -> None:
    world = toy_world()
    query = asking(world.query(), "{star} {match} {0.__class__}")
    (reason,) = search(world).reasons(query, world.positions("s1"))
    assert reason == 'Matches "star"'


def test_new_items_are_found_once_refreshed() -> None:
    world = toy_world()
    retriever = search(world)
    world.catalog.apply([NEW_ITEM])
    assert set(found(world, retriever, "harbour")) == {"d1", "d4"}
    retriever.refresh()
    assert set(found(world, retriever, "harbour")) == {"d1", "d4", "new"}
    assert found(world, retriever, "harbour dawn")[0] == "new"


def test_hidden_items_are_not_found_nor_their_words() -> None:
    world = toy_world()
    retriever = search(world, min_match=0.3)
    assert "h1" not in found(world, retriever, "winter secrets")
    assert found(world, retriever, "secrets") == ()
    world.catalog.apply([toy_item(0, "d1", 100, hidden=True, title="Harbour Lights", genre=["Drama"])])
    assert found(world, retriever, "harbour lights") == ("d4",), "before it is refreshed"
    retriever.refresh()
    assert found(world, retriever, "harbour lights") == ("d4",)
    world.catalog.apply([toy_item(0, "d1", 100, title="Harbour Lights", genre=["Drama"])])
    retriever.refresh()
    assert found(world, retriever, "harbour lights")[0] == "d1"


@pytest.mark.parametrize("visible", [("d1", "s1"), ("d4",), ()])
def test_what_is_not_eligible_changes_nothing_of_the_others(visible: tuple[str, ...]) -> None:
    world = toy_world()
    retriever = search(world)
    query = asking(world.query(), "harbour star nights")
    eligible = np.zeros(world.catalog.size, np.bool_)
    eligible[[world.position(item_id) for item_id in visible]] = True
    every = dict(zip(*(column.tolist() for column in retriever.retrieve(query, 99)), strict=True))
    some = dict(zip(*(c.tolist() for c in retriever.retrieve(replace(query, eligible=eligible), 99)), strict=True))
    assert some == {position: score for position, score in every.items() if eligible[position]}


def test_numbers_that_a_recipe_leaves_out_are_these() -> None:
    expected = {"min_match": 0.5, "coverage": 1.0, "proximity": 0.25, "head": 0.0, "prior": None}
    assert {name: Search.Config.model_fields[name].default for name in expected} == expected
