"""The vocabulary: beginnings, and near terms as comparing with every one would find them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from homefeed.retrieve.search.vocabulary import Vocabulary

WORDS = st.text(st.sampled_from("abcå\u0101電"), max_size=7)


def test_it_is_sorted_and_each_beginning_is_found() -> None:
    vocabulary = Vocabulary.of({"shoe", "shirt", "short", "sho", "tee"})
    assert vocabulary.terms == ("shirt", "sho", "shoe", "short", "tee")
    assert vocabulary.beginning_with("sho") == ("sho", "shoe", "short")
    assert vocabulary.beginning_with("") == vocabulary.terms
    assert vocabulary.beginning_with("tees") == ()


def test_near_are_those_of_few_edits() -> None:
    vocabulary = Vocabulary.of(["charger", "chargers", "ranger", "hcarger", "cable"])
    assert sorted(vocabulary.near("charger", 1)) == [("charger", 0), ("chargers", 1), ("hcarger", 1)]
    assert dict(vocabulary.near("chrager", 2)) == {"charger": 1, "chargers": 2, "hcarger": 2}
    assert vocabulary.near("sofa", 2) == []


def test_nothing_is_near_in_no_vocabulary() -> None:
    assert Vocabulary.of(()).near("shoe", 2) == []
    assert Vocabulary.of(()).beginning_with("s") == ()


@given(st.sets(WORDS.filter(bool)), WORDS, st.integers(0, 3))
def test_near_is_what_comparing_with_all_would_find(words: set[str], term: str, edits: int) -> None:
    expected = {word: OSA.distance(term, word) for word in words if OSA.distance(term, word) <= edits}
    assert dict(Vocabulary.of(words).near(term, edits)) == expected
