"""The best k of many, without sorting the many."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from homefeed.types import Mask, Positions, Scores

_BLOCK = 256


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
