"""The vectors of items, longest first, of which a request compares no more than can be among its best."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from homefeed.kernels import BOOL, F32, I32, I64, U64, kernel, reads, writes
from homefeed.retrieve.selection import Keys, best_of, key_of, largest_keys, score_of
from homefeed.retrieve.vectors import NEGLIGIBLE
from homefeed.types import NO_POSITIONS, Floats, Mask, Positions, Scores

_FIRST: Final = 4_096
_ROUNDING: Final = 1e-5
_MIN_SCORE: Final = float(np.nextafter(np.float32(NEGLIGIBLE), np.float32(1)))


def longest_first(vectors: Floats) -> npt.NDArray[np.intp]:
    """(n,) the rows as models keep them, so that serving can stop early; equals in their order."""
    return np.argsort(-np.linalg.norm(vectors, axis=1), kind="stable")


class Factors:
    """An inner product is at most the product of the lengths (Cauchy and Schwarz): once k are found that exceed
    what the longest vector left can have, none of the rest is looked at. Exact, whatever their order.
    """

    def __init__(self, vectors: Floats, positions: Positions) -> None:
        """`vectors` (rows, dimensions) are those of the items at `positions` (rows,), -1 of none."""
        self.vectors, self._positions = vectors, positions
        lengths = np.linalg.norm(vectors, axis=1)
        self._longest_from = np.maximum.accumulate(lengths[::-1])[::-1] * np.float32(1 + _ROUNDING)

    def best(self, vector: Floats, eligible: Mask, k: int, without: int = -1) -> tuple[Positions, Scores]:
        """The k eligible positions, but for one, of the largest inner products; best first, ties by position."""
        length, min_score = math.sqrt(vector @ vector), _MIN_SCORE
        keys, start, size = np.empty(0, np.uint64), 0, _FIRST
        while start < len(self.vectors) and length * self._longest_from[start] > min_score:
            part = slice(start, start + size)
            scores = self.vectors[part] @ vector
            keys = np.concatenate([keys, _keys(scores, self._positions[part], eligible, without, min_score)])
            if len(keys) >= k:
                keys = largest_keys(keys, k)
                min_score = max(min_score, score_of(keys[0]))
            start, size = start + size, 2 * size
        return best_of(keys, NO_POSITIONS, k)


@kernel(writes(U64), reads(F32), reads(I32), reads(BOOL), I64, F32)
def _keys(scores: Scores, positions: Positions, eligible: Mask, without: int, min_score: float) -> Keys:
    """The keys of eligible positions with scores of at least `min_score`."""
    bits, keys, found = scores.view(np.int32), np.empty(len(scores), np.uint64), 0
    for row in range(len(scores)):
        position = positions[row]
        if scores[row] >= min_score and position >= 0 and eligible[position] and position != without:
            keys[found] = key_of(bits[row], position)
            found += 1
    return keys[:found]
