"""What items share through their users: the sparse Gram matrix that every similarity starts from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from homefeed.retrieve.item_item.kernels import Indices, Starts, in_parallel, mark_strongest, nearest_by_users
from homefeed.retrieve.item_item.matrix import Matrix, sums
from homefeed.types import Floats

_ITEMS_AT_ONCE: Final = 16_384


@dataclass(frozen=True, slots=True, eq=False)
class Gram:
    """G(i, j) = sum over users of w(u) r(u, i) r(u, j), symmetric, in CSR without its diagonal `own` (items,).

    Of each item only the nearest by cosine are there, and those that have it among theirs.
    """

    starts: Starts
    others: Indices
    shared: Floats
    own: Floats

    def __len__(self) -> int:
        return len(self.own)

    @property
    def rows(self) -> Indices:
        """The row of each entry."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.starts))

    def matrix(self, values: Floats) -> Matrix:
        """Values of the entries, such as similarities, as a matrix."""
        return sp.csr_array((values, self.others, self.starts), shape=(len(self), len(self)))


def gram_of(matrix: Matrix, user_exponent: float, max_neighbours: int, min_users: int) -> Gram:
    """Of each item the `max_neighbours` nearest that `min_users` share; w(u) = (sum over i of r)^-user_exponent.

    O(sum over users of their items squared) time; memory grows with items times `max_neighbours`.
    """
    weights = sums(matrix, axis=1) ** np.float32(-user_exponent)
    by_item = sp.csr_array(matrix.T)
    by_item.sort_indices()
    own = np.asarray(sp.csr_array(matrix.power(2)).T @ weights, np.float32)
    arguments = [
        *(by_item.indptr.astype(np.int64), by_item.indices, by_item.data),
        *(matrix.indptr.astype(np.int64), matrix.indices, matrix.data),
        *(weights, np.sqrt(own), min_users, max_neighbours),
    ]
    blocks = []
    for first in range(0, len(own), _ITEMS_AT_ONCE):
        last = min(first + _ITEMS_AT_ONCE, len(own))
        found = np.full((last - first, max_neighbours), -1, np.int32)
        shared = np.zeros((last - first, max_neighbours), np.float32)
        in_parallel(nearest_by_users, (first, last), *arguments, first, found, shared)
        there = found >= 0
        starts = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        blocks.append(sp.csr_array((shared[there], found[there], starts), shape=(last - first, len(own))))
    one_way = sp.csr_array(sp.vstack(blocks, format="csr")) if blocks else sp.csr_array((0, 0), dtype=np.float32)
    both_ways = sp.csr_array(one_way.maximum(one_way.T))
    both_ways.sort_indices()
    return Gram(both_ways.indptr.astype(np.int64), both_ways.indices.astype(np.int32), both_ways.data, own)


def strongest(starts: Starts, weights: Floats, max_entries: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(entries,) which of a CSR matrix are among the `max_entries` largest of their row, whatever their sign."""
    kept = np.zeros(len(weights), np.bool_)
    in_parallel(mark_strongest, (0, len(starts) - 1), starts, weights, max_entries, kept)
    return kept
