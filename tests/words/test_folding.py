"""Folding: what names a thing keeps its accents, what is looked for does not."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.words import caseless, folded, plain
from homefeed.words.folding import folded_with_places


@pytest.mark.parametrize(
    ("one", "other"), [("CAFÉ", "cafe\u0301"), ("STRASSE", "straße"), ("ΣΟΦΌΣ", "σοφός"), ("\u01c5", "\u01c6")]
)
def test_letter_case_and_the_form_of_unicode_make_no_difference(one: str, other: str) -> None:
    assert caseless(one) == caseless(other)


def test_accents_do() -> None:
    assert caseless("pêche") != caseless("péché")
    assert folded("pêche") == folded("péché") == "peche"


def test_space_is_space() -> None:
    assert plain(" A\u00a0b\n c ") == plain("a B  C") == "a b c"


@given(st.text())
def test_what_is_folded_stays(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    assert caseless(caseless(text)) == caseless(text)


@given(st.text(st.characters(max_codepoint=0x2FF)))
def test_each_letter_knows_where_it_comes_from(text: str) -> None:
    text = unicodedata.normalize("NFC", text)
    found, places = folded_with_places(text)
    assert found == folded(text)
    assert len(places) == len(found) + 1
    assert places == sorted(places)
    assert places[-1] == len(text)
