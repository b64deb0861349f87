"""Titles: which word names the thing, and which what it is for."""

from __future__ import annotations

import pytest
from tests.retrieve.search.shelves import engine, found, meant, shelf

from homefeed.retrieve.search.titles import BELONGING, HEAD, OTHER, end_of_noun, roles_of
from homefeed.words import tokens_of


def roles(title: str) -> dict[str, list[str]]:
    tokens = tokens_of(title)
    told: dict[str, list[str]] = {"head": [], "for": [], "other": []}
    names = {HEAD: "head", BELONGING: "for", OTHER: "other"}
    for token, role in zip(tokens, roles_of(title, tokens), strict=True):
        told[names[role]].append(token.word)
    return told


@pytest.mark.parametrize(
    ("title", "heads", "belonging"),
    [
        ("Padded Laptop Bag for Men, Black", ["bag", "black"], ["men"]),
        ("Case for Laptop", ["case"], ["laptop"]),
        ("Laptop Bag | 15.6 inch Laptop Sleeve", ["bag", "sleeve"], []),
        ("Acme 108 cm (43 inches) 4K Smart LED TV UA43AUE65AKXXL (Black)", ["acme", "tv", "black"], []),
        ("Charger compatible with iPhone 14 - White", ["charger", "white"], ["iphone", "14"]),
        ("Set of 2 Glasses", ["set", "glasses"], []),
        ("无线耳机", ["耳机"], []),
        ("43 inch", [], []),
        ("for", [], []),
        ("", [], []),
    ],
)
def test_the_last_noun_of_a_phrase_names_the_thing(title: str, heads: list[str], belonging: list[str]) -> None:
    told = roles(title)
    assert told["head"] == heads
    assert told["for"] == belonging


@pytest.mark.parametrize(
    ("query", "head"),
    [
        ("laptop bag", "bag"),
        ("bag for laptop", "bag"),
        ("running shoes for men size 9", "shoes"),
        ("for men", "men"),
        ("tv 43 inch", "tv"),
        ("43 inch", "43 inch"),
        ("camera to see my home", "camera"),
    ],
)
def test_a_query_names_what_it_looks_for(query: str, head: str) -> None:
    assert [concept.typed for concept in meant(query, ["x"]) if concept.is_head] == [head]
    assert end_of_noun("bag for laptop", tokens_of("bag for laptop")) == 4


def test_the_thing_comes_before_what_is_for_it() -> None:
    catalog = shelf("Acme laptop bag", "Stand for laptop", "Silver Acme laptop")
    assert found(engine(catalog), "laptop") == [0, 1, 2], "by words alone they are equal"
    assert found(engine(catalog, head=0.5), "laptop") == [2, 0, 1]
    assert found(engine(catalog, head=0.5), "laptop bag")[0] == 0
    assert found(engine(catalog, head=0.5), "laptop stand")[0] == 1


def test_a_synonym_names_the_thing_as_well() -> None:
    catalog = shelf("Sofa cover, beige", "Couch, three seats", "Cushion, plain, red")
    assert found(engine(catalog, "sofa, couch"), "sofa")[0] == 0
    assert found(engine(catalog, "sofa, couch", head=0.5), "sofa")[0] == 1


def test_of_several_titles_the_best_counts_and_of_a_category_nothing() -> None:
    names = ("Bag for laptop | Laptop", "Bag for laptop | Sleeve")
    assert found(engine(shelf(*names), head=0.5), "laptop") == [0, 1]
