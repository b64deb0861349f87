"""The best k of many, without sorting the many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from homefeed.types import Mask, Positions, Scores

_BLOCK = 128
_FEW = 8
"""One in so many is few."""


def top_k(scores: Scores, k: int) -> npt.NDArray[np.intp]:
    """Rows of the k highest scores, best first; ties by row. Rows that are not above 0 are left out.

    The k-th largest of the maxima of blocks is at most the k-th largest score, so only the rows that reach it
    need sorting: one pass over the scores instead of a partition of all.
    """
    if k < 1:
        return np.empty(0, np.intp)
    threshold = np.float32(0)
    blocks = len(scores) // _BLOCK
    if blocks > 2 * k:
        maxima = scores[: blocks * _BLOCK].reshape(blocks, _BLOCK).max(axis=1)
        threshold = np.partition(maxima, blocks - k)[blocks - k]
    rows = np.flatnonzero(scores >= threshold) if threshold > 0 else np.flatnonzero(scores > 0)
    if len(rows) > 4 * k:
        rows = rows[scores[rows] >= np.partition(scores[rows], len(rows) - k)[len(rows) - k]]
    return rows[np.argsort(-scores[rows], kind="stable")[:k]]


class PrecomputedRanking:
    """Positions in a standing order, each once, that is asked again and again for the first that are eligible."""

    def __init__(self, order: Positions, size: int) -> None:
        """`size` is that of the catalogue."""
        self._order = order
        self._place = np.full(size, -1, np.int32)
        self._place[order] = np.arange(len(order), dtype=np.int32)

    def first(self, eligible: Mask, k: int) -> Positions:
        """The first k that are eligible; newer items than the order knows are not."""
        if np.count_nonzero(eligible) * _FEW > len(self._order):
            return first_eligible(self._order, eligible, k)
        # Of few it is cheaper to look up where each stands than to look for them among the many.
        few = np.flatnonzero(eligible[: len(self._place)])
        places = self._place[few]
        places = places[places >= 0]
        if len(places) > k:
            places = np.partition(places, k)[:k]
        return self._order[np.sort(places)]


def first_eligible(order: Positions, eligible: Mask, k: int) -> Positions:
    """The first k positions of a standing order that are eligible, looking no further than needed."""
    found: list[Positions] = []
    missing, start, size = k, 0, max(4 * k, 256)
    while missing > 0 and start < len(order):
        block = order[start : start + size]
        hits = block[eligible[block]][:missing]
        found.append(hits)
        missing -= len(hits)
        start, size = start + size, size * 4
    return np.concatenate(found) if found else order[:0]
