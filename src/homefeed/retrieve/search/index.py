"""An inverted index over an app's items, in step with its catalogue: which items have a term, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from homefeed.catalog import CatalogView, Partitions
from homefeed.catalog.growable import Growable
from homefeed.catalog.partitions import name_in, unnamed
from homefeed.retrieve.search.analysis import stem
from homefeed.retrieve.search.reading import (
    NO_NUMBERS,
    NO_ROLES,
    NOTHING,
    Places,
    Reading,
    Roles,
    Segment,
)
from homefeed.retrieve.search.titles import OTHER, roles_of
from homefeed.retrieve.search.vocabulary import Vocabulary
from homefeed.types import Floats
from homefeed.words import Token, tokens_of

_SATURATION: Final = 1.2
_LENGTHS: Final = 0.75
"""k1 and b of BM25, as of Robertson & Zaragoza, section 3.5."""
_SMALL: Final = 2_000
_REBUILD_SHARE: Final = 0.02
_REBUILD_MIN: Final = 500
_GAP: Final = 16
"""How many places lie between two texts of an item."""
_LAST_PLACE: Final = 2**16 - 1


@dataclass(frozen=True, slots=True)
class _Row:
    """The terms of an item, how often it has each, times the weights of the fields, what each is in its titles,
    and where each word stands. Terms are of the item's partition, here by its code.
    """

    terms: npt.NDArray[np.int32]
    amounts: Floats
    roles: Roles
    standing: npt.NDArray[np.int32]
    places: npt.NDArray[np.int32]
    partition: int = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Row) and all(map(np.array_equal, self._columns(), other._columns()))

    __hash__ = None  # type: ignore[assignment]  # rows are compared, never looked up

    def _columns(self) -> tuple[npt.NDArray[Any], ...]:
        return self.terms, self.amounts, self.roles, self.standing, self.places


_NO_WORDS: Final = _Row(NO_NUMBERS, np.empty(0, np.float32), NO_ROLES, NO_NUMBERS, NO_NUMBERS)


@lru_cache(10_000)
def _tokens_of_value(text: str) -> Sequence[Token]:
    """The words of a category or a tag, which many items have."""
    return tokens_of(text)


class TextIndex:
    """Which items have a term, and how much of it, by BM25 over several fields.

    A term adds idf x tf (k1 + 1) / (tf + k1 (1 - b + b length / mean length)) to an item's score, with tf and
    length summed over `fields` by their weights, as of Robertson, Zaragoza & Taylor, "Simple BM25 extension to
    multiple weighted fields" (CIKM 2004), and idf = ln(1 + (N - n + 0.5) / (n + 0.5)), which is never negative:
    Robertson & Zaragoza, "The probabilistic relevance framework" (FnTIR 2009). N are the items that have words;
    those that are hidden or deleted have none. The part without the idf is computed when items change and not
    at a search, which costs what the postings of its terms hold. The mean length is that of the
    last time the whole index was made. Where users are kept apart, all of it is counted within a partition.
    """

    def __init__(self, catalog: CatalogView, fields: Mapping[str, float]) -> None:
        self._catalog, self._fields = catalog, dict(fields)
        self._partitions = Partitions(catalog.apart)
        self._number_of: dict[str, int] = {}
        self._number_of_word: dict[str, int] = {}
        self._words: dict[str, tuple[str, ...]] = {}
        self._spellings: dict[str, str] = {}
        self._rows: list[_Row] = []
        self._counts = np.zeros(1024, np.int64)
        self._own = Growable(np.int32, 0)
        self._with_words = Growable(np.int64, 0)
        self._with_words.grow(1)
        self._mean_lengths = Growable(np.float64, 1.0)
        self._changed: set[int] = set()
        self._is_vocabulary_old = False
        self._seen = -1
        self._refreshing = Lock()
        self.reading = Reading(
            generation=0,
            size=0,
            vocabularies={},
            counts=self._counts[:0],
            most=0,
            rarities=np.empty(0, np.float32),
            main=NOTHING,
            fresh=NOTHING,
            stale=None,
            number_of=self._number_of,
            words=self._words,
            spellings=self._spellings,
        )
        self.refresh()

    def refresh(self) -> None:
        """Take over the items that came or changed since; `reading` is a new one where words did."""
        with self._refreshing:
            now = self._catalog.snapshot
            if now.generation == self._seen:
                return
            known = len(self._rows)
            positions = now.changed_since(self._seen).tolist()
            changed = [position for position in positions if self._take_over(position)]
            if changed or len(self._rows) > known:
                self._changed.update(changed)
                self.reading = self._read()
            self._seen = now.generation

    def _take_over(self, position: int) -> bool:
        """Take an item's words anew; whether they have changed."""
        if position == len(self._rows):
            self._rows.append(_NO_WORDS)
        before, row = self._rows[position], self._row(position)
        if row == before:
            return False
        self._rows[position] = row
        self._with_words.grow(max(before.partition, row.partition) + 1)
        self._with_words.view[before.partition] -= len(before.terms) > 0
        self._with_words.view[row.partition] += len(row.terms) > 0
        came = bool((self._counts[row.terms] == 0).any())
        self._counts[before.terms] -= 1
        self._counts[row.terms] += 1
        self._is_vocabulary_old |= came or bool((self._counts[before.terms] == 0).any())
        return True

    def _row(self, position: int) -> _Row:
        if not self._catalog.available[position]:
            return _NO_WORDS
        amounts: dict[int, float] = {}
        roles: dict[int, int] = {}
        standing: dict[tuple[int, int], None] = {}
        begin, partition = 0, self._partitions.of_item(position)
        if partition is None:
            return _NO_WORDS
        code = int(self._partitions.codes(position + 1)[position])
        for field, weight in self._fields.items():
            is_title = self._catalog.fields[field] == "text"
            for text in self._catalog.terms_at(field, position):
                place, tokens = begin, tokens_of(text) if is_title else _tokens_of_value(text)
                own = roles_of(text, tokens) if is_title else [OTHER] * len(tokens)
                for token, role in zip(tokens, own, strict=True):
                    for word in token.words:
                        number = self._number_of_word.get(name_in(word.word, partition), -1)
                        if number < 0:
                            number = self._learn(word, text, partition, code)
                        amounts[number] = amounts.get(number, 0.0) + weight
                        roles[number] = max(role, roles.get(number, role))
                        place = begin + word.place
                        standing[number, min(place, _LAST_PLACE)] = None
                begin = place + _GAP
        numbers = np.array(list(standing), np.int32).reshape(-1, 2)
        terms, weights = np.array(list(amounts), np.int32), np.array(list(amounts.values()), np.float32)
        best = np.array(list(roles.values()), np.int8)
        return _Row(terms, weights, best, numbers[:, 0], numbers[:, 1], code)

    def _learn(self, token: Token, text: str, partition: str, code: int) -> int:
        word, term = token.word, stem(token.word)
        own_word, own_term = name_in(word, partition), name_in(term, partition)
        number = self._number_of_word[own_word] = self._number_of.setdefault(own_term, len(self._number_of))
        if number >= len(self._counts):
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
        self._own.grow(number + 1)
        self._own.view[number] = code
        known = self._words.get(own_term, ())
        self._words[own_term] = (word, *known) if word == term else (*known, word)
        spelling = text[token.start : token.end].lower()
        if spelling != word:
            self._spellings[own_word] = spelling
        return number

    def _read(self) -> Reading:
        """The whole index anew, or the recent changes alone while they are few."""
        before, size = self.reading, len(self._rows)
        counts = self._counts[: len(self._number_of)].copy()
        vocabularies = before.vocabularies
        if self._is_vocabulary_old:
            vocabularies = self._vocabularies(counts)
            self._is_vocabulary_old = False
        few = len(self._changed) <= max(_REBUILD_MIN, _REBUILD_SHARE * size)
        if size <= _SMALL or not few or not len(before.main.items):
            self._changed.clear()
            self._measure()
            main, fresh, stale = self._segment(range(size)), NOTHING, None
        else:
            main, fresh = before.main, self._segment(sorted(self._changed))
            stale = np.zeros(size, np.bool_)
            stale[list(self._changed)] = True
        having_words = self._with_words.view[self._own.first(len(counts))]
        return Reading(
            generation=before.generation + 1,
            size=size,
            vocabularies=vocabularies,
            counts=counts,
            most=int(counts.max(initial=0)),
            rarities=np.log1p((having_words - counts + 0.5) / (counts + 0.5)).astype(np.float32),
            main=main,
            fresh=fresh,
            stale=stale,
            number_of=self._number_of,
            words=self._words,
            spellings=self._spellings,
        )

    def _vocabularies(self, counts: npt.NDArray[np.int64]) -> dict[str, Vocabulary]:
        """The terms that items have, by partition."""
        terms: dict[str, list[str]] = {}
        for name, number in self._number_of.items():
            if counts[number]:
                term, partition = unnamed(name)
                terms.setdefault(partition, []).append(term)
        return {partition: Vocabulary.of(own) for partition, own in terms.items()}

    def _measure(self) -> None:
        """Take the mean lengths anew; a partition without words keeps its own."""
        count = len(self._with_words)
        self._mean_lengths.grow(count)
        whole = np.zeros(count)
        for row in self._rows:
            whole[row.partition] += float(row.amounts.sum())
        have = self._with_words.view > 0
        self._mean_lengths.view[have] = whole[have] / self._with_words.view[have]

    def _segment(self, positions: Sequence[int]) -> Segment:
        rows = [self._rows[position] for position in positions]
        lengths = np.array([row.amounts.sum() for row in rows], np.float32)
        counts = np.array([len(row.terms) for row in rows], np.int64)
        items = np.repeat(np.array(positions, np.int32), counts)
        terms = np.concatenate([NO_NUMBERS, *(row.terms for row in rows)])
        values = np.concatenate([np.empty(0, np.float32), *(row.amounts for row in rows)])
        partitions = np.array([row.partition for row in rows], np.intp)
        self._mean_lengths.grow(int(partitions.max(initial=0)) + 1)
        relative = np.repeat(lengths / self._mean_lengths.view[partitions].astype(np.float32), counts)
        damping = _SATURATION * (1 - _LENGTHS + _LENGTHS * relative)
        impacts = (values * (_SATURATION + 1) / (values + damping)).astype(np.float32)
        roles = np.concatenate([NO_ROLES, *(row.roles for row in rows)])
        order = np.argsort(terms, kind="stable")
        places = self._places(positions, rows)
        return Segment(self._starts(terms), items[order], impacts[order], roles[order], *places)

    def _places(self, positions: Sequence[int], rows: Sequence[_Row]) -> tuple[npt.NDArray[np.int64], Places]:
        standing = np.concatenate([NO_NUMBERS, *(row.standing for row in rows)])
        places = np.concatenate([NO_NUMBERS, *(row.places for row in rows)]).astype(np.int64)
        items = np.repeat(np.array(positions, np.int64), [len(row.places) for row in rows])
        order = np.argsort(standing, kind="stable")
        return self._starts(standing), ((items << 16) + places)[order]

    def _starts(self, terms: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        counts = np.bincount(terms, minlength=len(self._number_of))
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
