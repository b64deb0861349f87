"""Semantic search: cosines by hand, what a query is embedded by, new items."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from homefeed.protocols import Retriever
from homefeed.retrieve.content.model import ContentModel
from homefeed.retrieve.search import Search
from homefeed.retrieve.semantic import Semantic
from homefeed.testing import RetrieverContract, World, empty_world, make_world, toy_item
from homefeed.types import Query

# Half of what says "star" is in the sky, and nothing of a boat.
WORDS = {"star": (1.0, 0.0), "sky": (0.8, 0.6), "boats": (0.0, 1.0)}
NAMES = ("Star", "Sky", "Boats", "Star Boats", "Lamp")
DIAGONAL = 0.5**0.5


def model_of(world: World) -> ContentModel:
    """A model by hand, trained on the world as it is."""
    words = {f"title={word}": column for column, word in enumerate(WORDS)}
    components = np.array(list(WORDS.values()), np.float32).T
    nothing = np.empty(0, np.int32), np.empty((0, 2), np.float32)
    model = ContentModel(*nothing, words, np.ones(3, np.float32), components)
    items = [{"title": world.catalog.terms_at("title", at)} for at in range(world.catalog.size)]
    return replace(model, numbers=world.catalog.numbers.copy(), vectors=model.embed(items))


def named(*names: str) -> World:
    world = make_world([toy_item(n, f"i{n}", 1, title=name) for n, name in enumerate(names)], ())
    return replace(world, resources=replace(world.resources, models={"content": model_of(world)}))


def semantic(world: World, **config: object) -> Semantic:
    return Semantic(Semantic.Config.model_validate({"fields": {"title": 1.0}, **config}), world.resources)


def asking(query: Query, text: str) -> Query:
    return replace(query, context={"query": text})


def scores(world: World, text: str, **config: object) -> dict[str, float]:
    positions, found = semantic(world, **config).retrieve(asking(world.query(), text), 10)
    return dict(zip(world.ids(positions), found.tolist(), strict=True))


class TestSemantic(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return semantic(world, min_similarity=0.2)

    def requests(self, world: World) -> dict[str, Query]:
        asked = {name: asking(query, "harbour drama") for name, query in super().requests(world).items()}
        texts = ("orbital", "harbor", "SciFi stars", "zzyzx", "?!", "", "x" * 5_000, "हिन्दी 😀\x00", "secrets")
        return asked | {text[:20]: asking(world.query(), text) for text in texts}


class TestSemanticWithoutAQuery(RetrieverContract):
    def make(self, world: World) -> Retriever:
        return semantic(world)


def test_scores_are_cosines_of_at_least_the_similarity() -> None:
    world = named(*NAMES)
    assert scores(world, "star") == pytest.approx({"i0": 1.0, "i1": 0.8, "i3": DIAGONAL})
    assert list(scores(world, "star", min_similarity=0.75)) == ["i0", "i1"]
    expected = {"i3": 1.0, "i1": 1.4 * DIAGONAL, "i0": DIAGONAL, "i2": DIAGONAL}
    assert scores(world, "star boats") == pytest.approx(expected)


def test_a_query_is_taken_as_search_understands_it() -> None:
    world = named(*NAMES)
    assert scores(world, "starr") == scores(world, "star"), "a misspelling"
    assert scores(world, "sta") == scores(world, "star"), "a beginning"
    assert scores(world, "STARS for the") == scores(world, "star"), "a plural, and small words"
    assert scores(world, "boat") == scores(world, "boats") != {}, "as items write it"


def test_a_word_that_no_item_has_is_taken_for_its_synonym(tmp_path: Path) -> None:
    world = named(*NAMES)
    (tmp_path / "own.txt").write_text("sun => sky, boats\nstar, boat")
    own = str(tmp_path / "own.txt")
    assert scores(world, "sun", synonyms=own) == scores(world, "sky")
    assert scores(world, "star", synonyms=own) == scores(world, "star"), "one that items have is itself"


@pytest.mark.parametrize("text", ["lamp", "zzyzx", "?!", "", " "])
def test_what_the_model_does_not_know_finds_nothing(text: str) -> None:
    world = named(*NAMES)
    assert scores(world, text, min_similarity=0.0) == {}
    query = asking(world.query(), text)
    assert semantic(world).reasons(query, world.positions("i0", "i4")) == [None, None]


def test_without_a_model_nothing_is_found() -> None:
    world = named(*NAMES)
    world = replace(world, resources=replace(world.resources, models={}))
    assert scores(world, "star") == {}
    assert semantic(world).reasons(asking(world.query(), "star"), world.positions("i0")) == [None]


def test_reasons_are_for_what_is_close_and_in_the_words_that_were_typed() -> None:
    world = named(*NAMES)
    query = asking(world.query(), " Starr {0} ")
    assert semantic(world).reasons(query, world.positions("i2", "i3", "i0")) == [
        None,
        'Close in meaning to "Starr {0}"',
        'Close in meaning to "Starr {0}"',
    ]


def test_only_what_is_eligible_is_found() -> None:
    world = named(*NAMES)
    query = asking(world.query(exclude=("i0", "i3")), "star")
    assert world.ids(semantic(world).retrieve(query, 10)[0]) == ("i1",)


def test_new_words_and_items_are_known_once_refreshed() -> None:
    world = named("Star", "Lamp")
    retriever = semantic(world)
    assert world.ids(retriever.retrieve(asking(world.query(), "sky"), 9)[0]) == ()
    world.catalog.apply([toy_item(2, "i2", 1, title="Sky"), toy_item(1, "i1", 1, title="Sky Star")])
    assert world.ids(retriever.retrieve(asking(world.query(), "star"), 9)[0]) == ("i0",)
    retriever.refresh()
    assert world.ids(retriever.retrieve(asking(world.query(), "sky"), 9)[0]) == ("i2", "i1", "i0")


def test_words_newer_than_the_vectors_are_no_trouble() -> None:
    world = empty_world()
    world = replace(world, resources=replace(world.resources, models={"content": model_of(world)}))
    retriever = semantic(world)
    world.catalog.apply([toy_item(0, "i0", 1, title="Star")])
    Search(Search.Config.model_validate({"fields": {"title": 1.0}}), world.resources).refresh()
    query = asking(world.query(), "star")
    assert len(retriever.retrieve(query, 9)[0]) == 0
    assert retriever.reasons(query, world.positions("i0")) == [None]
    retriever.refresh()
    assert retriever.reasons(query, world.positions("i0")) == ['Close in meaning to "star"']
