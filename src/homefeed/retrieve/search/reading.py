"""The words of items as of one moment: what a search reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.catalog.partitions import name_in
from homefeed.retrieve.search.vocabulary import Vocabulary
from homefeed.types import Floats, Positions

Places: TypeAlias = npt.NDArray[np.int64]
"""Where a term stands: the item times 65,536, plus the place in it; sorted."""
Roles: TypeAlias = npt.NDArray[np.int8]
"""What a term is in an item's titles, the best of all: `roles_of`."""


NO_NUMBERS: Final = np.empty(0, np.int32)
NO_ROLES: Final = np.empty(0, np.int8)


@dataclass(frozen=True, slots=True)
class Segment:
    """Postings of some items: those of term t are the rows `starts[t]` to `starts[t + 1]` of the three columns,
    and the places where it stands those from `first[t]` to `first[t + 1]`.
    """

    starts: npt.NDArray[np.int64]
    items: Positions
    impacts: Floats
    roles: Roles
    first: npt.NDArray[np.int64]
    places: Places

    def of(self, term: int) -> tuple[Positions, Floats]:
        """The items that have a term, and how much of it."""
        if term + 1 >= len(self.starts):
            return self.items[:0], self.impacts[:0]
        rows = slice(self.starts[term], self.starts[term + 1])
        return self.items[rows], self.impacts[rows]

    def roles_of(self, term: int) -> tuple[Positions, Roles]:
        """The items that have a term, and what it is in their titles."""
        items, _ = self.of(term)
        return items, self.roles[self.starts[term] : self.starts[term] + len(items)] if len(items) else NO_ROLES

    def places_of(self, term: int) -> Places:
        """Where a term stands."""
        return self.places[self.first[term] : self.first[term + 1]] if term + 1 < len(self.first) else NO_PLACES


NO_PLACES: Final = np.empty(0, np.int64)
NO_TERMS: Final = Vocabulary.of(())
NOBODY: Final = "\x1f"
"""A partition without items."""
NOTHING: Final = Segment(
    np.zeros(1, np.int64), NO_NUMBERS, np.empty(0, np.float32), NO_ROLES, np.zeros(1, np.int64), NO_PLACES
)


@dataclass(frozen=True, slots=True)
class Reading:
    """The words of items as of one moment: what a search reads while the index may go on.

    `size` is how many items it knows: those that came later are not found yet. `most` of them have the commonest
    term. Of terms that are numbered later than `counts` is long it knows nothing. Items of `main` that changed
    since are `stale`, and in `fresh`.

    Where the recipe keeps users apart, a term is one of a partition, and a reading too, see `within`: whatever
    others have, it does not know. `vocabularies` are those of the partitions.
    """

    generation: int
    size: int
    vocabularies: Mapping[str, Vocabulary]
    counts: npt.NDArray[np.int64]
    most: int
    rarities: Floats
    main: Segment
    fresh: Segment
    stale: npt.NDArray[np.bool_] | None
    number_of: Mapping[str, int]
    words: Mapping[str, tuple[str, ...]]
    spellings: Mapping[str, str]
    partition: str = ""

    def within(self, partition: str | None) -> Reading:
        """The same of one partition; that of a user without one knows no item."""
        return replace(self, partition=NOBODY if partition is None else partition)

    @property
    def vocabulary(self) -> Vocabulary:
        """Every term of the partition's items."""
        return self.vocabularies.get(self.partition, NO_TERMS)

    def count(self, term: str) -> int:
        """How many items have a term."""
        number = self._number(term)
        return 0 if number is None else int(self.counts[number])

    def rarity(self, term: str) -> float:
        """The inverse document frequency of a term, 0 where no item has it."""
        number = self._number(term)
        return 0.0 if number is None or not self.counts[number] else float(self.rarities[number])

    def postings(self, term: str) -> tuple[Positions, Floats]:
        """The items that have a term, each once, and how much of it: what to multiply by an idf."""
        number = self._number(term)
        if number is None:
            return NOTHING.of(0)
        items, impacts = self.main.of(number)
        if self.stale is None:
            return items, impacts
        valid = ~self.stale[items]
        more, more_impacts = self.fresh.of(number)
        return np.concatenate([items[valid], more]), np.concatenate([impacts[valid], more_impacts])

    def roles(self, term: str) -> tuple[Positions, Roles]:
        """The items that have a term, and what it is in their titles."""
        number = self._number(term)
        if number is None:
            return NOTHING.roles_of(0)
        items, roles = self.main.roles_of(number)
        if self.stale is None:
            return items, roles
        valid = ~self.stale[items]
        more, more_roles = self.fresh.roles_of(number)
        return np.concatenate([items[valid], more]), np.concatenate([roles[valid], more_roles])

    def places(self, term: str) -> Places:
        """Where items have a term: its items, and the places in them."""
        number = self._number(term)
        if number is None:
            return NO_PLACES
        places = self.main.places_of(number)
        if self.stale is None:
            return places
        valid = ~self.stale[items_of(places)]
        return np.sort(np.concatenate([places[valid], self.fresh.places_of(number)]))

    def standing_together(self, phrase: Sequence[str]) -> Places:
        """Where the terms of a phrase stand one after the other: the places of the last one."""
        first, *others = phrase
        places = self.places(first)
        for term in others:
            places = _in_both(places + 1, self.places(term))
        return places

    def shown(self, term: str) -> str:
        """The word for a term as people read it: accents and all, in small letters."""
        word = self.written(term)[0]
        return self.spellings.get(name_in(word, self.partition), word)

    def written(self, term: str) -> tuple[str, ...]:
        """The words that items have for a term, the term itself first if it is one or no item has any."""
        return self.words.get(name_in(term, self.partition), (term,))

    def beginning_with(self, prefix: str, max_terms: int) -> list[str]:
        """Terms that begin so, the most frequent first."""
        return nsmallest(max_terms, self.vocabulary.beginning_with(prefix), lambda term: (-self.count(term), term))

    def _number(self, term: str) -> int | None:
        number = self.number_of.get(name_in(term, self.partition))
        return number if number is not None and number < len(self.counts) else None


def items_of(places: Places) -> Positions:
    """The items of places, each as often as it has one."""
    return (places >> 16).astype(np.int32)


def _in_both(one: Places, other: Places) -> Places:
    """The places that both have, each of them sorted and once."""
    few, many = (one, other) if len(one) < len(other) else (other, one)
    if not len(few):
        return few
    found = np.searchsorted(many, few)
    both: Places = few[many[np.minimum(found, len(many) - 1)] == few]
    return both
