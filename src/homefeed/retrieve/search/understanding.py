"""The meaning of a query: its concepts, each with the phrases that match it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from functools import reduce
from typing import Final

import numpy as np

from homefeed.retrieve.search.analysis import SMALL_WORDS, QueryWord, query_words
from homefeed.retrieve.search.reading import Reading, items_of
from homefeed.retrieve.search.synonyms import Phrase, Synonyms
from homefeed.retrieve.search.titles import end_of_noun
from homefeed.types import Mask
from homefeed.words import tokens_of

MAX_TERMS: Final = 32
"""Terms: what follows in a longer query is ignored."""

_SYNONYM: Final = 0.7
_COMPLETED: Final = 0.8
_PART: Final = 0.4
_APART: Final = 0.7
_CORRECTED: Final = (1.0, 0.8, 0.6)
"""The weight of a term that stands in for the one that was typed; of a correction, by the edits."""

_RECONSIDERED: Final = 0.5
_MAX_RECONSIDERED: Final = 3
_SHORTEST_RECONSIDERED: Final = 4

_AN_EDIT: Final = 20
"""How many times as frequent a term has to be to be meant rather than one that is an edit closer."""
_OVERWHELMING: Final = 100
"""How many times as frequent a term has to be to be meant by one that items have."""
_BELIEVED: Final = 0.2
"""A correction that is less likely than so much of the best is left out."""

_MAX_CORRECTIONS: Final = 3
_MAX_COMPLETIONS: Final = 8
_SHORTEST_PREFIX: Final = 3
_SHORTEST_DOUBTED: Final = 6


@dataclass(frozen=True, slots=True)
class Alternative:
    """A phrase that matches, if an item has all of its terms, one after the other if `together`, and its weight.

    `share` is the share of the concept that it covers: less than 1 for one word of a phrase, which is `typed` so.
    """

    phrase: Phrase
    weight: float
    share: float = 1.0
    typed: str = ""
    together: bool = False


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing a query looks for, in the words as they were `typed`, and all phrases that match, best first.

    `phrase` are the terms of those words, which begin at the place `start` of the query. Of scripts without spaces
    a concept is a pair of letters, which may overlap with the one before. One `is_head`: it names the thing.
    """

    typed: str
    phrase: Phrase
    alternatives: tuple[Alternative, ...]
    start: int = 0
    end: int = 0
    is_head: bool = False


def understood(text: str, index: Reading, synonyms: Synonyms) -> tuple[Concept, ...]:
    """The concepts of a query in their order.

    Phrases of the table of synonyms are found the longest first. A term that no item has is taken for the
    beginning of one, if it is the last, or else for a misspelling: of up to 1 letter in terms of 3 to 5 letters, 2
    in longer ones, by optimal string alignment (Damerau, CACM 1964), as search engines do. Which one is meant, the
    noisy channel says (Kernighan, Church & Gale, COLING 1990): how often items have it, and less for every edit.
    Two words that items write as one are that one, too, and one that they write as two those two, whatever the
    table knows. A number with its unit and a word of letters and digits are one thing, of which an item may have
    a part. A term that nothing matches is kept, as it is part of the query. Where no item has something of
    everything in a short query, words that items do have may have been meant otherwise, too: one letter may
    differ, as in "yoga matt".
    """
    words = query_words(text)[:MAX_TERMS]
    concepts = _with_head(tuple(_concepts(words, index, synonyms)), end_of_noun(text, tokens_of(text)))
    if not 2 <= len(concepts) <= _MAX_RECONSIDERED or _have_all(concepts, index):
        return concepts
    return tuple(_reconsidered(concept, index) for concept in concepts)


def _with_head(concepts: tuple[Concept, ...], end: int) -> tuple[Concept, ...]:
    """The concepts with the head told: the last one before `end` that is no amount."""
    named = [n for n, concept in enumerate(concepts) if concept.start < end]
    nouns = [n for n in named if not concepts[n].phrase[-1][0].isdigit()] or named
    if not nouns:
        return concepts
    head = nouns[-1]
    return (*concepts[:head], replace(concepts[head], is_head=True), *concepts[head + 1 :])


def _have_all(concepts: Iterable[Concept], index: Reading) -> bool:
    """Whether an item has something of every concept."""
    left = np.ones(index.size, np.bool_)
    for concept in concepts:
        whole = (other for other in concept.alternatives if other.share == 1)
        left &= reduce(np.logical_or, (_having(other, index) for other in whole), np.zeros_like(left))
    return bool(left.any())


def _having(other: Alternative, index: Reading) -> Mask:
    """(items,) which have a phrase."""
    if other.together:
        mask = np.zeros(index.size, np.bool_)
        mask[items_of(index.standing_together(other.phrase))] = True
        return mask
    masks = np.zeros((len(other.phrase), index.size), np.bool_)
    for mask, term in zip(masks, other.phrase, strict=True):
        mask[index.postings(term)[0]] = True
    whole: Mask = np.asarray(masks.all(axis=0))
    return whole


def _reconsidered(concept: Concept, index: Reading) -> Concept:
    """The concept of one word, with the words no rarer than it that differ from it by a letter."""
    known = {other.phrase for other in concept.alternatives}
    term = concept.phrase[0]
    if len(concept.phrase) > 1 or not index.count(term) or len(term) < _SHORTEST_RECONSIDERED:
        return concept
    near = _corrections({term}, index, max_edits=1)
    close = [(word,) for word, _ in near if index.count(word) >= index.count(term)]
    more = tuple(Alternative(phrase, _RECONSIDERED) for phrase in close if phrase not in known)
    return replace(concept, alternatives=(*concept.alternatives, *more))


def _concepts(words: Sequence[QueryWord], index: Reading, synonyms: Synonyms) -> Iterator[Concept]:
    terms, at = tuple(word.term for word in words), 0
    while at < len(terms):
        length = next(
            (n for n in range(min(synonyms.longest, len(terms) - at), 1, -1) if synonyms.of(terms[at : at + n])), 1
        )
        if length == 1 and at + 1 < len(terms) and _is_one_word(words[at], words[at + 1], index):
            length = 2
        own, is_last = words[at : at + length], at + length == len(terms)
        if length > 1:
            found = _phrases(own, index, synonyms)
        elif own[0].parts and not own[0].is_pair:
            found = _compound(own[0], is_last, index, synonyms)
        else:
            found = _words(own[0], is_last, index, synonyms)
        typed = " ".join(word.typed for word in own)
        yield Concept(typed, terms[at : at + length], tuple(found), own[0].start, own[-1].end)
        at += length


def _is_one_word(one: QueryWord, other: QueryWord, index: Reading) -> bool:
    """Whether items have them as one word at least as often as one after the other."""
    joined = one.term + other.term
    if joined[0].isdigit() or one.is_pair or not index.count(joined):
        return False
    return index.count(joined) >= len(index.standing_together((one.term, other.term)))


def _phrases(words: Sequence[QueryWord], index: Reading, synonyms: Synonyms) -> Iterator[Alternative]:
    """The phrase itself, as one word, its synonyms, and its words one by one."""
    phrase = tuple(word.term for word in words)
    joined = ("".join(phrase),)
    yield Alternative(phrase, 1.0)
    if index.count(joined[0]):
        yield Alternative(joined, 1.0)
    others = dict.fromkeys((*synonyms.of(phrase), *synonyms.of(joined)))
    for other in others:
        if other not in (phrase, joined):
            yield Alternative(other, _SYNONYM)
    yield from _one_by_one(words, others)


def _one_by_one(words: Sequence[QueryWord], but: Iterable[Phrase] = ()) -> Iterator[Alternative]:
    without = set(but)
    for word in words:
        if (word.term,) not in without:
            yield Alternative((word.term,), _PART, _PART, word.typed)


def _compound(word: QueryWord, is_last: bool, index: Reading, synonyms: Synonyms) -> Iterator[Alternative]:
    """A number with its unit, or letters and digits: the whole, its parts one after the other, and one by one."""
    is_known = bool(index.count(word.term) or synonyms.of((word.term,)))
    meant = [Alternative((word.term,), 1.0)] if is_known else []
    parts = tuple(part.term for part in word.parts)
    if len(parts) > 1 and len(index.standing_together(parts)):
        meant.append(Alternative(parts, 1.0, together=True))
    if not meant and is_last and len(word.word) >= _SHORTEST_PREFIX:
        ends = index.beginning_with(word.word, _MAX_COMPLETIONS)
        meant.extend(Alternative((term,), _COMPLETED) for term in ends)
    yield from meant
    yield from _synonyms(meant, synonyms)
    # What has another sign is another thing: of "c++", "c" is no part.
    if len(parts) > 1 or not is_known:
        yield from _one_by_one(word.parts)


def _words(word: QueryWord, is_last: bool, index: Reading, synonyms: Synonyms) -> Iterator[Alternative]:
    """The term itself and its synonyms; of an unknown term, those of the terms it may have been meant for."""
    own = (word.term,)
    known = index.count(word.term) > 0 or any(all(map(index.count, other)) for other in synonyms.of(own))
    meant = [Alternative(own, 1.0)] if known or synonyms.of(own) else []
    split = _split(word, index)
    apart = [] if split is None else [Alternative(split, _APART if known else 1.0, together=True)]
    if not known:
        meant = [*meant, *apart, *_meant(word, is_last, index, is_apart=split is not None)]
    yield from meant
    yield from _synonyms(meant, synonyms)
    if known:
        yield from apart
        yield from _doubted(word, index)


def _synonyms(meant: Sequence[Alternative], synonyms: Synonyms) -> Iterator[Alternative]:
    """The synonyms of the first that may be meant."""
    known = {other.phrase for other in meant}
    for other in meant[:1]:
        for phrase in synonyms.of(other.phrase):
            if phrase not in known:
                yield Alternative(phrase, other.weight * _SYNONYM)


def _meant(word: QueryWord, is_last: bool, index: Reading, is_apart: bool) -> Iterator[Alternative]:
    """What a word that no item has may stand for."""
    if is_last and len(word.word) >= _SHORTEST_PREFIX and not is_apart:
        # What begins a word may look like a plural: "dres".
        completions = index.beginning_with(word.word, _MAX_COMPLETIONS)
        completions = completions or index.beginning_with(word.term, _MAX_COMPLETIONS)
        yield from (Alternative((term,), _COMPLETED) for term in completions)
        if completions:
            return
    if not word.term[0].isdigit():
        # What is misspelt may look like a plural, too: "wireles".
        near = _corrections({word.word, word.term}, index)
        yield from (Alternative((term,), _CORRECTED[edits]) for term, edits in near)


def _doubted(word: QueryWord, index: Reading) -> Iterator[Alternative]:
    """What a word that a few items have may be a misspelling of, theirs and that of who searches."""
    least = _OVERWHELMING * index.count(word.term)
    if not 0 < least <= index.most or len(word.term) < _SHORTEST_DOUBTED:
        return
    for term, edits in _corrections({word.word, word.term}, index, max_edits=1):
        if index.count(term) >= least:
            yield Alternative((term,), _CORRECTED[edits])


def _split(word: QueryWord, index: Reading) -> Phrase | None:
    """The word as two that items have one after the other: the pair that they have most often."""
    term = word.term
    if word.is_pair or term[0].isdigit():
        return None
    pairs = [(term[:at], term[at:]) for at in range(1, len(term))]
    known = [pair for pair in pairs if all(map(index.count, pair)) and not SMALL_WORDS.intersection(pair)]
    found = [(len(index.standing_together(pair)), pair) for pair in known]
    best = max(found, default=(0, ("", "")))
    return best[1] if best[0] else None


def _corrections(forms: Set[str], index: Reading, max_edits: int = 2) -> list[tuple[str, int]]:
    """The terms that forms of a word are likely misspellings of, with their edits; the likeliest first."""
    edits_of: dict[str, int] = {}
    for form in forms:
        edits = min(max_edits, 0 if len(form) < 3 else 1 if len(form) < 6 else 2)
        for word, distance in index.vocabulary.near(form, edits) if edits else ():
            if len(word) > 2 and not word[0].isdigit() and word not in forms:
                edits_of[word] = min(distance, edits_of.get(word, distance))
    first_letters = {form[0] for form in forms}
    # A typing error seldom changes the first letter: that is an edit more.
    likely = {
        word: index.count(word) / _AN_EDIT ** (distance + (word[0] not in first_letters))
        for word, distance in edits_of.items()
    }
    best = sorted(likely, key=lambda word: (-likely[word], word))[:_MAX_CORRECTIONS]
    return [(word, edits_of[word]) for word in best if likely[word] >= likely[best[0]] * _BELIEVED]
