"""Names as words, and what types of events mean."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.propose.toml import key, written
from homefeed.propose.vocabulary import meaning_of
from homefeed.propose.words import says, singular, slug, words_of


@pytest.mark.parametrize("name", ["CustomerID", "customer_id", "customerid", "Customer Id", "customerId"])
def test_names_are_words_however_they_are_written(name: str) -> None:
    assert words_of(name) == ["customer", "id"]


def test_a_slug_is_a_name_of_a_recipe() -> None:
    assert [slug(name) for name in ("Unit Price", "2nd title", "\u00e4", "\u8cfc", "URL")] == [
        "unit_price",
        "n_2_nd_title",
        "a",
        "field",
        "url",
    ]


def test_what_names_say() -> None:
    assert says("createdAt", "created at")
    assert not says("recreated", "created")
    assert [singular(word) for word in ("categories", "boxes", "readers", "news", "class")] == [
        "category", "box", "reader", "new", "class",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "word", "weight"),
    [
        ("View", "view", 1), ("viewed", "view", 1), ("product_view", "view", 1), ("CLICK", "click", 1),
        ("liked", "like", 3),
        ("Saves", "save", 4), ("bookmarking", "bookmark", 4), ("share", "share", 4), ("purchased", "purchase", 5),
        ("dislike", "dislike", -1), ("hidden", None, 0), ("hide", "hide", -1), ("addToCart", "add to cart", 3),
        ("remove_from_cart", "remove from cart", 0), ("blorp", None, 0),
    ],
)  # fmt: skip
def test_types_of_events_have_weights(cell: str, word: str | None, weight: float) -> None:
    found = meaning_of(cell)
    assert (word, weight) == ((None, 0) if found is None else (found[0], found[1].weight))


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_written_is_read_again(name: str, text: str) -> None:
    value = {"list": [text, 1, 0.25, True], "table": {name: text}}
    assert tomllib.loads(f"{key(name)} = {written(value)}") == {name: value}
