"""The scores of all items for the concepts of a query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from homefeed.retrieve.search.reading import Places, Reading, items_of
from homefeed.retrieve.search.titles import BELONGING, OTHER
from homefeed.retrieve.search.understanding import Alternative, Concept
from homefeed.types import Floats, Positions

_NEAR: Final = 4
"""Places: words that are further apart say nothing of one another."""

_ROUNDING: Final = 1e-5
"""What rounding may take from sums of shares."""


@dataclass(frozen=True, slots=True)
class Found:
    """Scores (items,), 0 for what is no match; and by what each item matches, for reasons.

    `uses` holds for every alternative of every concept, in their order, (concept, alternative, items that match
    by it).
    """

    concepts: tuple[Concept, ...]
    scores: Floats
    uses: tuple[tuple[int, int, Positions], ...]


def find(
    concepts: tuple[Concept, ...],
    index: Reading,
    min_match: float,
    coverage: float,
    proximity: float = 0.0,
    head: float = 0.0,
) -> Found:
    """Every item's score: the sum over concepts of its best alternative's, times its share of the query.

    Two concepts that follow one another in the query, and in the item, too, add `proximity` times the rarity of
    the commoner one to it, and a part of that where a word or two are between them: the ordered window of Metzler
    & Croft, "A Markov random field model for term dependencies" (SIGIR 2005).

    Where the concept that names the thing is what the title of an item names, the item's score is `head` of it
    larger, and where it is only what the item is for, that much smaller: see `roles_of`.

    The share is that of the concepts an item has in the rarity (idf) of all, to the power of `coverage`: an item
    with all of the words comes before one with the rarest of them many times. Items with less than `min_match` of
    it are no match. A synonym counts by the rarity of what was typed where that is less, or the rare word for a
    thing would outweigh the common one. A concept that no item matches counts, too: like the
    rarest of the others.
    """
    size = index.size
    total, share = np.zeros(size, np.float32), np.zeros(size, np.float32)
    known = [_rarity(concept, index) for concept in concepts]
    rarities = [rarity or max(known) for rarity in known]
    whole = sum(rarities)
    uses: list[tuple[int, int, Positions]] = []
    for number, (concept, rarity) in enumerate(zip(concepts, rarities, strict=True)):
        best, part = np.zeros(size, np.float32), np.zeros(size, np.float32)
        for place, (items, gains) in _alternatives(concept, rarity, index):
            # The first that matches is the best to name.
            uses.append((number, place, items))
            best[items] = np.maximum(best[items], gains)
            part[items] = np.maximum(part[items], np.float32(concept.alternatives[place].share))
        total += best
        share += part * np.float32(rarity / whole if whole else 0)
    if proximity:
        for items, gains in _together(concepts, rarities, index):
            total[items] += gains * np.float32(proximity)
    if head:
        total *= 1 + np.float32(head) * _roles(concepts, index)
    matching = share >= min_match - _ROUNDING
    scores = np.where(matching, total * share ** np.float32(coverage), np.float32(0))
    return Found(concepts, scores.astype(np.float32), tuple(uses))


def _rarity(concept: Concept, index: Reading) -> float:
    """What a concept counts in the query: the rarity of what was typed, or of the best phrase that matches.

    0 where items have nothing of it.
    """
    known = [sum(map(index.rarity, other.phrase)) for other in concept.alternatives]
    return (known[0] or max(known)) if known else 0.0


def _alternatives(
    concept: Concept, rarity: float, index: Reading
) -> Iterator[tuple[int, tuple[Positions, Floats]]]:
    for place, other in enumerate(concept.alternatives):
        items, gains = _matching(other, index)
        own = sum(map(index.rarity, other.phrase))
        if len(items):
            scale = other.weight * min(1.0, rarity / own if own else 1.0)
            yield place, (items, gains * np.float32(scale))


def _together(
    concepts: Sequence[Concept], rarities: Sequence[float], index: Reading
) -> Iterator[tuple[Positions, Floats]]:
    """For every two concepts in a row the items that have both near one another, and what that adds."""
    for before, after, *rarity in zip(concepts, concepts[1:], rarities, rarities[1:], strict=False):
        ends, starts = _places(before, -1, index), _places(after, 0, index)
        if not len(ends) or not len(starts):
            continue
        following = np.searchsorted(starts, ends, side="right")
        distance = starts[np.minimum(following, len(starts) - 1)] - ends
        near = (distance > 0) & (distance <= _NEAR)
        gains = np.float32(min(rarity)) / distance[near].astype(np.float32)
        if len(gains):
            items = items_of(ends[near])  # sorted, as places are
            first = np.flatnonzero(np.diff(items, prepend=-1))
            yield items[first], np.maximum.reduceat(gains, first)


def _roles(concepts: Sequence[Concept], index: Reading) -> Floats:
    """(items,) what the head of the query is in each: the best of what will do for all of it."""
    terms = {
        other.phrase[-1]
        for concept in concepts
        if concept.is_head
        for other in concept.alternatives
        if other.share == 1
    }
    best = np.full(index.size, BELONGING, np.float32)
    found = np.zeros(index.size, np.bool_)
    for term in terms:
        items, roles = index.roles(term)
        best[items] = np.maximum(best[items], roles)
        found[items] = True
    return np.where(found, best, np.float32(OTHER))


def _places(concept: Concept, end: int, index: Reading) -> Places:
    """Where items have the first or the last word of what a concept may be, single words of a phrase aside.

    They are sorted.
    """
    terms = {other.phrase[end] for other in concept.alternatives if other.share == 1}
    found = [index.places(term) for term in terms]
    if len(found) <= 1:
        return found[0] if found else np.empty(0, np.int64)
    return np.sort(np.concatenate(found))


def _matching(other: Alternative, index: Reading) -> tuple[Positions, Floats]:
    """The items that have a phrase, and the sum of what its terms add."""
    first, *others = other.phrase
    items, impacts = index.postings(first)
    gains: Floats = impacts * np.float32(index.rarity(first))
    for term in others:
        more, more_impacts = index.postings(term)
        items, here, there = _common(items, more, index.size)
        gains = gains[here] + more_impacts[there] * np.float32(index.rarity(term))
    if other.together:
        standing = np.zeros(index.size, np.bool_)
        standing[items_of(index.standing_together(other.phrase))] = True
        items, gains = items[standing[items]], gains[standing[items]]
    return items, gains


def _common(
    one: Positions, other: Positions, size: int
) -> tuple[Positions, npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The items of both, and where they are in each."""
    place = np.full(size, -1, np.intp)
    place[other] = np.arange(len(other))
    here = np.flatnonzero(place[one] >= 0)
    return one[here], here, place[one[here]]
