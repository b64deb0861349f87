"""The terms that items have, and which of them a misspelt or unfinished one may stand for."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import OSA


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every term of any item, sorted, with its length and a bit for each of 64 kinds of letters it has."""

    terms: tuple[str, ...]
    lengths: npt.NDArray[np.int32]
    letters: npt.NDArray[np.uint64]

    @classmethod
    def of(cls, terms: Iterable[str]) -> Self:
        """The vocabulary of distinct terms, in any order."""
        ordered = tuple(sorted(terms))
        lengths = np.fromiter(map(len, ordered), np.int32, len(ordered))
        starts = np.cumsum(lengths) - lengths
        return cls(ordered, lengths, np.bitwise_or.reduceat(_bits("".join(ordered)), starts))

    def beginning_with(self, prefix: str) -> Sequence[str]:
        """The terms that begin with a prefix."""
        return self.terms[bisect_left(self.terms, prefix) : bisect_left(self.terms, prefix + "\U0010ffff")]

    def near(self, term: str, edits: int) -> list[tuple[str, int]]:
        """The terms within `edits` of one, with their distance: optimal string alignment (Damerau, 1964).

        One edit takes one kind of letter away at most and brings one: what differs in more is not compared.
        """
        kinds = np.bitwise_or.reduce(_bits(term))
        close = np.abs(self.lengths - len(term)) <= edits
        close &= np.bitwise_count(self.letters ^ kinds) <= 2 * edits
        words = [self.terms[place] for place in np.flatnonzero(close).tolist()]
        found = process.extract(term, words, scorer=OSA.distance, score_cutoff=edits, limit=None)
        return [(word, int(distance)) for word, distance, _ in found]


def _bits(text: str) -> npt.NDArray[np.uint64]:
    """(characters,) a bit for each, the same for the same one."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    bits: npt.NDArray[np.uint64] = np.left_shift(np.uint64(1), codes & np.uint64(63))
    return bits
