"""Vectors in an order in which neighbours lie close together."""

from __future__ import annotations

from typing import Final

import numpy as np

from homefeed.types import Floats, Positions

_SAMPLE: Final = 8_192


def in_blocks(vectors: Floats, length: int) -> Positions:
    """(rows,) the rows of vectors, each `length` of them close to one another.

    They are the leaves of a k-d tree (Bentley, "Multidimensional binary search trees used for associative
    searching", CACM 1975), split at the median of whatever dimension varies most.
    """
    order = np.arange(len(vectors), dtype=np.int32)
    nodes = [(0, len(vectors))]
    while nodes:
        first, last = nodes.pop()
        size = last - first
        if size <= length:
            continue
        rows = order[first:last]
        dimension = vectors[rows[:: -(-size // _SAMPLE)]].var(axis=0).argmax()
        middle = -(-size // (2 * length)) * length
        order[first:last] = rows[np.argpartition(vectors[rows, dimension], middle)]
        nodes += [(first, first + middle), (first + middle, last)]
    return order
