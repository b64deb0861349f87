"""The meaning of a query: its concepts, each with the phrases that match it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from functools import reduce
from itertools import islice
from typing import Final

import numpy as np

from homefeed.retrieve.search.analysis import query_terms, stem
from homefeed.retrieve.search.index import Reading
from homefeed.retrieve.search.synonyms import Phrase, Synonyms
from homefeed.types import Mask

MAX_TERMS: Final = 32
"""Terms: what follows in a longer query is ignored."""

_SYNONYM: Final = 0.7
_COMPLETED: Final = 0.8
_PART: Final = 0.4
_CORRECTED: Final = (1.0, 0.8, 0.6)
"""The weight of a term that stands in for the one that was typed; of a correction, by the edits."""

_RECONSIDERED: Final = 0.5
_MAX_RECONSIDERED: Final = 3

_MAX_CORRECTIONS: Final = 3
_MAX_COMPLETIONS: Final = 8
_SHORTEST_PREFIX: Final = 3


@dataclass(frozen=True, slots=True)
class Alternative:
    """A phrase that matches, if an item has all of its terms, and its weight.

    `share` is the share of the concept that it covers: less than 1 for one word of a phrase.
    """

    phrase: Phrase
    weight: float
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing a query looks for, in the words as they were `typed`, and all phrases that match, best first.

    `phrase` are the terms of those words.
    """

    typed: str
    phrase: Phrase
    alternatives: tuple[Alternative, ...]


def understood(text: str, index: Reading, synonyms: Synonyms) -> tuple[Concept, ...]:
    """The concepts of a query in their order.

    Phrases of the table of synonyms are found the longest first. A term that no item has is taken for the
    beginning of one, if it is the last, or else for a misspelling: of up to 1 letter in terms of 3 to 5 letters, 2
    in longer ones, by optimal string alignment (Damerau, CACM 1964), as search engines do. Two words that items
    write as one are that one, too, and one that they write as two those two. A term that nothing matches is
    kept, as it is part of the query. Where no item has something of everything in a short query, words that
    items do have may have been meant otherwise, too: one letter may differ, as in "yoga matt".
    """
    word_of = dict(islice(query_terms(text).items(), MAX_TERMS))
    concepts = tuple(_concepts(word_of, index, synonyms))
    if not 2 <= len(concepts) <= _MAX_RECONSIDERED or _have_all(concepts, index):
        return concepts
    return tuple(_reconsidered(concept, index) for concept in concepts)


def _have_all(concepts: Iterable[Concept], index: Reading) -> bool:
    """Whether an item has something of every concept."""
    left = np.ones(index.size, np.bool_)
    for concept in concepts:
        phrases = (other.phrase for other in concept.alternatives if other.share == 1)
        left &= reduce(np.logical_or, (_having(phrase, index) for phrase in phrases), np.zeros_like(left))
    return bool(left.any())


def _having(phrase: Phrase, index: Reading) -> Mask:
    """(items,) which have all terms of a phrase."""
    masks = np.zeros((len(phrase), index.size), np.bool_)
    for mask, term in zip(masks, phrase, strict=True):
        mask[index.postings(term)[0]] = True
    whole: Mask = np.asarray(masks.all(axis=0))
    return whole


def _reconsidered(concept: Concept, index: Reading) -> Concept:
    """The concept of one word, with the words that differ from it by a letter."""
    known = {other.phrase for other in concept.alternatives}
    if len(concept.phrase) > 1 or not index.count(concept.phrase[0]):
        return concept
    close = [(word,) for word, _ in _corrections({concept.phrase[0]}, index, max_edits=1)]
    more = tuple(Alternative(phrase, _RECONSIDERED) for phrase in close if phrase not in known)
    return replace(concept, alternatives=(*concept.alternatives, *more))


def _concepts(word_of: Mapping[str, str], index: Reading, synonyms: Synonyms) -> Iterator[Concept]:
    terms, at = tuple(word_of), 0
    while at < len(terms):
        length = next(
            (n for n in range(min(synonyms.longest, len(terms) - at), 1, -1) if synonyms.of(terms[at : at + n])), 1
        )
        joined = "".join(terms[at : at + 2])
        if length == 1 and at + 1 < len(terms) and _is_one_word(joined, terms[at : at + 2], index):
            length = 2
        phrase = terms[at : at + length]
        typed, is_last = word_of[phrase[0]], at + length == len(terms)
        alone = length == 1
        found = _words(typed, is_last, index, synonyms) if alone else _phrases(phrase, index, synonyms)
        yield Concept(" ".join(word_of[term] for term in phrase), phrase, tuple(found))
        at += length


def _is_one_word(joined: str, pair: Phrase, index: Reading) -> bool:
    """Whether items have it as one word at least half as often as the rarer of the two."""
    if joined[0].isdigit():
        return False
    return index.count(joined) > 0 and 2 * index.count(joined) >= min(map(index.count, pair))


def _phrases(phrase: Phrase, index: Reading, synonyms: Synonyms) -> Iterator[Alternative]:
    """The phrase itself, as one word, its synonyms, and its words one by one."""
    joined = ("".join(phrase),)
    yield Alternative(phrase, 1.0)
    if index.count(joined[0]):
        yield Alternative(joined, 1.0)
    others = dict.fromkeys((*synonyms.of(phrase), *synonyms.of(joined)))
    for other in others:
        if other not in (phrase, joined):
            yield Alternative(other, _SYNONYM)
    for word in phrase:
        if (word,) not in others:
            yield Alternative((word,), _PART, _PART)


def _words(typed: str, is_last: bool, index: Reading, synonyms: Synonyms) -> Iterator[Alternative]:
    """The term itself and its synonyms; of an unknown term, those of the terms it may have been meant for."""
    term = stem(typed)
    if index.count(term) or synonyms.of((term,)):
        meant = [Alternative((term,), 1.0)]
    else:
        meant = list(_meant(typed, is_last, index))
    yield from meant
    known = {other.phrase for other in meant}
    for other in meant[:1]:
        for phrase in synonyms.of(other.phrase):
            if phrase not in known:
                yield Alternative(phrase, other.weight * _SYNONYM)


def _meant(typed: str, is_last: bool, index: Reading) -> Iterator[Alternative]:
    term = stem(typed)
    if is_last and len(typed) >= _SHORTEST_PREFIX:
        # What begins a word may look like a plural: "dres".
        completions = index.beginning_with(typed, _MAX_COMPLETIONS) or index.beginning_with(term, _MAX_COMPLETIONS)
        yield from (Alternative((word,), _COMPLETED) for word in completions)
        if completions:
            return
    if not term[0].isdigit():
        split = _split(term, index)
        if split is not None:
            yield Alternative(split, 1.0)
        # What is misspelt may look like a plural, too: "wireles".
        near = _corrections({typed, term}, index)
        yield from (Alternative((word,), _CORRECTED[edits]) for word, edits in near)


def _split(term: str, index: Reading) -> Phrase | None:
    """The term as two that items have: the pair whose rarer one is the most frequent."""
    pairs = [(term[:at], term[at:]) for at in range(3, len(term) - 2)]
    known = [(min(map(index.count, pair)), pair) for pair in pairs if all(map(index.count, pair))]
    return max(known)[1] if known else None


def _corrections(forms: Set[str], index: Reading, max_edits: int = 2) -> list[tuple[str, int]]:
    """The other terms that are closest to any form of a word, each with its edits; the most frequent first."""
    edits_of: dict[str, int] = {}
    for form in forms:
        edits = min(max_edits, 0 if len(form) < 3 else 1 if len(form) < 6 else 2)
        for word, distance in index.vocabulary.near(form, edits) if edits else ():
            if len(word) > 2 and not word[0].isdigit() and word not in forms:
                edits_of[word] = min(distance, edits_of.get(word, distance))
    closest = min(edits_of.values(), default=0)
    best = [(word, distance) for word, distance in edits_of.items() if distance == closest]
    first_letters = {form[0] for form in forms}
    # A typing error seldom changes the first letter.
    best.sort(key=lambda found: (found[0][0] not in first_letters, -index.count(found[0]), found[0]))
    return best[:_MAX_CORRECTIONS]
