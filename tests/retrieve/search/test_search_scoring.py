"""Scores: by hand, and as the formula says for any query, item by item."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.retrieve.search.shelves import reading

from homefeed.retrieve.search.analysis import stem
from homefeed.retrieve.search.reading import Reading
from homefeed.retrieve.search.scoring import find
from homefeed.retrieve.search.synonyms import NO_SYNONYMS, Synonyms, parse_synonyms
from homefeed.retrieve.search.understanding import Alternative, Concept, understood
from homefeed.words import words_of


def scores(
    text: str, one: Reading, min_match: float = 0.0, coverage: float = 0.0, synonyms: Synonyms = NO_SYNONYMS
) -> list[float]:
    found = find(understood(text, one, synonyms), one, min_match, coverage).scores
    assert found.dtype == np.float32
    values: list[float] = found.tolist()
    return values


def idf(n: int, items: int) -> float:
    return math.log(1 + (items - n + 0.5) / (n + 0.5))


# All names are two words long, so that a term once in one adds its idf.
NAMES = ("red shoe", "red hat", "blue shoe", "green cap", "green hat", "red red")
SHOP = reading(*NAMES)


def test_a_score_is_the_sum_over_the_words() -> None:
    red, shoe = idf(3, 6), idf(2, 6)
    twice = 2 * 2.2 / (2 + 1.2)
    assert scores("red shoe", SHOP) == pytest.approx([red + shoe, red, shoe, 0, 0, twice * red])


def test_having_more_of_the_query_counts_more() -> None:
    red, shoe = idf(3, 6), idf(2, 6)
    whole, twice = red + shoe, 4.4 / 3.2
    expected = [whole, red * red / whole, shoe * shoe / whole, 0, 0, twice * red * red / whole]
    assert scores("red shoe", SHOP, coverage=1) == pytest.approx(expected)
    expected = [whole, red * (red / whole) ** 0.5, shoe * (shoe / whole) ** 0.5, 0, 0]
    assert scores("red shoe", SHOP, coverage=0.5)[:5] == pytest.approx(expected)


def test_items_with_less_than_the_least_are_no_match() -> None:
    red, shoe = idf(3, 6), idf(2, 6)
    assert red < shoe
    assert np.flatnonzero(scores("red shoe", SHOP, min_match=0.5)).tolist() == [0, 2]
    assert np.flatnonzero(scores("red shoe", SHOP, min_match=red / (red + shoe))).tolist() == [0, 1, 2, 5]


def test_all_of_a_query_is_all_of_it_whatever_rounding_does() -> None:
    words = [f"{letter}{other}{letter}" for letter in "abcde" for other in "abcdef"]
    one = reading(" ".join(words), *(" ".join(words[:count]) for count in range(1, 30)), *words)
    for count in range(1, 31):
        assert scores(" ".join(words[:count]), one, min_match=1.0, coverage=1.0)[0] > 0, count


def test_what_no_item_has_counts_like_the_rarest_of_the_others() -> None:
    red, shoe = idf(3, 6), idf(2, 6)
    whole = red + shoe + shoe
    found = scores("zzyzx red shoe", SHOP, coverage=1)
    assert found[0] == pytest.approx((red + shoe) * (red + shoe) / whole)
    assert found[1] == pytest.approx(red * red / whole)
    assert np.flatnonzero(scores("shoe zzyzx", SHOP, min_match=0.5)).tolist() == [0, 2], (
        "half of the query is there"
    )
    assert not any(scores("shoe zzyzx qqxqq", SHOP, min_match=0.5))
    assert not any(scores("zzyzx", SHOP))


def test_a_synonym_counts_by_the_rarity_of_what_was_typed() -> None:
    table = parse_synonyms("hat, cap\nshoe, boot", "own")
    # A cap is rarer than a hat: who looks for a hat must not get caps first.
    assert scores("hat", SHOP, synonyms=table) == pytest.approx([0, idf(2, 6), 0, 0.7 * idf(2, 6), idf(2, 6), 0])
    assert scores("cap", SHOP, synonyms=table) == pytest.approx(
        [0, 0.7 * idf(2, 6), 0, idf(1, 6), 0.7 * idf(2, 6), 0]
    )
    # Nobody has a boot: what will do counts in its own right.
    assert scores("boot", SHOP, synonyms=table) == pytest.approx([0.7 * idf(2, 6), 0, 0.7 * idf(2, 6), 0, 0, 0])


def test_of_what_will_do_the_best_counts_and_no_sum() -> None:
    concept = Concept("x", ("x",), (Alternative(("red",), 0.5), Alternative(("shoe",), 0.25)))
    found = find((concept,), SHOP, 0.0, 0.0)
    red = idf(3, 6)
    expected = [0.5 * red, 0.5 * red, 0.25 * red, 0, 0, 0.5 * red * 4.4 / 3.2]
    assert found.scores.tolist() == pytest.approx(expected)
    assert [(concept, place, items.tolist()) for concept, place, items in found.uses] == [
        (0, 0, [0, 1, 5]),
        (0, 1, [0, 2]),
    ]


def test_a_phrase_needs_all_of_its_words_and_a_part_is_less() -> None:
    one = reading("usb stick", "stick glue", "flash drive", "usb hub")
    table = parse_synonyms("usb stick, flash drive", "own")
    whole, part = 2 * idf(2, 4), idf(2, 4)
    assert scores("usb stick", one, synonyms=table) == pytest.approx(
        [whole, 0.4 * part, 0.7 * whole, 0.4 * part]
    ), "the words of the synonym are rarer: they count as what was typed"
    assert scores("usb stick", one, synonyms=table, coverage=1)[1] == pytest.approx(0.4 * part * 0.4)
    assert np.flatnonzero(scores("usb stick", one, min_match=0.5, synonyms=table)).tolist() == [0, 2]


def test_nothing_is_found_by_nothing_and_among_nothing() -> None:
    assert scores("", SHOP) == [0] * 6
    assert scores("?!", SHOP, min_match=0.5, coverage=1) == [0] * 6
    assert scores("red shoe", reading()) == []
    assert scores("red shoe", reading("", "!")) == [0, 0]


WORDS = (
    "red",
    "blue",
    "shoe",
    "shoes",
    "hat",
    "cap",
    "capp",
    "pen",
    "drive",
    "pendrive",
    "zzyzx",
    "sho",
    "of",
    "7",
)
TABLE = parse_synonyms("hat, cap\npen drive, usb stick\nshoe => red hat, sandal\nsandal => shoe", "own")
TEXTS = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)


def in_a_row(phrase: tuple[str, ...], name: str) -> bool:
    return f" {' '.join(phrase)} " in f" {' '.join(map(stem, name.split()))} "


def by_formula(
    names: list[str], concepts: tuple[Concept, ...], one: Reading, min_match: float, coverage: float
) -> list[float]:
    """As the docstring says, an item at a time."""

    def rarity(phrase: tuple[str, ...]) -> float:
        return sum(one.rarity(term) for term in phrase)

    counts = []
    for concept in concepts:
        known = [rarity(other.phrase) for other in concept.alternatives]
        counts.append((known[0] or max(known)) if known else 0.0)
    counts = [count or max(counts) for count in counts]
    adds = {
        term: dict(zip(*(column.tolist() for column in one.postings(term)), strict=True))
        for term in one.vocabulary.terms
    }
    expected = []
    for item, name in enumerate(names):
        own = {stem(word) for word in words_of(name)}
        total = share = 0.0
        for concept, count in zip(concepts, counts, strict=True):
            fitting = [
                other
                for other in concept.alternatives
                if set(other.phrase) <= own
                and (
                    not other.together or f" {' '.join(other.phrase)} " in f" {' '.join(map(stem, name.split()))} "
                )
            ]
            total += max(
                (
                    other.weight
                    * min(1, count / rarity(other.phrase))
                    * sum(adds[term][item] * one.rarity(term) for term in other.phrase)
                    for other in fitting
                ),
                default=0.0,
            )
            share += max((other.share for other in fitting), default=0.0) * count
        share /= sum(counts) or 1
        expected.append(total * share**coverage if share >= min_match - 1e-6 else 0.0)
    return expected


@given(st.lists(TEXTS, max_size=6), TEXTS, st.sampled_from([0.0, 0.3, 0.5, 1.0]), st.sampled_from([0.0, 1.0, 2.5]))
@example(["pendrive red", "pen", "drive pen"], "pen drive", 0.3, 1.0)
def test_scores_are_the_formula(names: list[str], text: str, min_match: float, coverage: float) -> None:
    one = reading(*names)
    concepts = understood(text, one, TABLE)
    found = find(concepts, one, min_match, coverage).scores.tolist()
    assert found == pytest.approx(by_formula(names, concepts, one, min_match, coverage), rel=1e-4, abs=1e-6)


SOME = reading(*(f"{one} {other}" for one in WORDS[:6] for other in WORDS[3:]))


@given(st.text(max_size=40) | st.lists(st.sampled_from(WORDS) | st.text(max_size=5), max_size=40).map(" ".join))
def test_any_text_has_finite_scores(text: str) -> None:
    found = find(understood(text, SOME, TABLE), SOME, 0.5, 1.0)
    assert found.scores.shape == (SOME.size,)
    assert np.isfinite(found.scores).all()
    assert (found.scores >= 0).all()


def test_words_in_a_row_count_more() -> None:
    one = reading("red big shoe hat", "red shoe big hat", "shoe red big hat", "big hat red shoe")
    concepts = understood("red shoe", one, NO_SYNONYMS)
    apart, together = (find(concepts, one, 0.0, 1.0, proximity).scores for proximity in (0.0, 0.5))
    gain = 0.5 * idf(4, 4)
    assert (together - apart).tolist() == pytest.approx([gain / 2, gain, 0, gain], abs=1e-6)
