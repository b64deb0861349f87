"""The most similar of every item, by a sparse product that keeps no others."""

from __future__ import annotations

import os
from typing import Final

import numpy as np
import scipy.sparse as sp
from sparse_dot_topn import sp_matmul_topn

from homefeed.retrieve.arrays import Rows, Starts
from homefeed.retrieve.content.words import WordMatrix
from homefeed.retrieve.similar.texts import NO_MARK, Marks
from homefeed.types import Floats

_ENTRIES_AT_ONCE: Final = 500_000


def nearest(
    vectors: WordMatrix, duplicates: Marks, max_neighbours: int, min_cosine: float
) -> tuple[Starts, Rows, Floats]:
    """Of each row of unit vectors (items, words) the others of the largest cosines above `min_cosine`, as CSR.

    None is of an equal mark (items,). Exact, and so in time proportional to the sum over words of their items
    squared; memory grows with items times `max_neighbours`.
    """
    count = len(duplicates)
    _, which, sizes = np.unique(duplicates, return_inverse=True, return_counts=True)
    copies = np.where(duplicates == NO_MARK, 1, sizes[which])
    found, cosines = np.full((count, max_neighbours), -1, np.int32), np.zeros((count, max_neighbours), np.float32)
    by_word, left = sp.csr_matrix(vectors.T), sp.csr_matrix(vectors)
    order = np.argsort(copies, kind="stable")
    copies = copies[order]
    start = 0
    while start < count:
        # An item with many duplicates has to look further for others.
        wanted = max_neighbours + 2 * int(copies[start])
        stop = start + max(_ENTRIES_AT_ONCE // wanted, 1)
        stop = min(stop, int(np.searchsorted(copies, wanted - max_neighbours, side="right")))
        rows = order[start:stop]
        product = sp_matmul_topn(
            left[rows], by_word, wanted, threshold=min_cosine, sort=True, n_threads=_threads()
        )
        _fill(product, rows, duplicates, found, cosines)
        start = stop
    there = found >= 0
    starts = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int64)
    return starts, found[there], cosines[there]


def _fill(product: sp.csr_matrix, rows: np.ndarray, duplicates: Marks, found: Rows, cosines: Floats) -> None:
    lengths = np.diff(product.indptr)
    items = np.repeat(rows, lengths)
    others, values = product.indices[: len(items)], product.data[: len(items)]
    same = (duplicates[items] == duplicates[others]) & (duplicates[items] != NO_MARK)
    kept = np.flatnonzero(~same & (items != others))
    items = items[kept]
    begins = np.flatnonzero(np.append(True, items[1:] != items[:-1]))[: len(items)]
    place = np.arange(len(items)) - np.repeat(begins, np.diff(np.append(begins, len(items))))
    among = place < found.shape[1]
    found[items[among], place[among]] = others[kept][among]
    cosines[items[among], place[among]] = values[kept][among]


def _threads() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
