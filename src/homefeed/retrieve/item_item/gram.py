"""What items share through their users: the sparse Gram matrix that every similarity starts from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import scipy.sparse as sp

from homefeed.retrieve.item_item.gram_kernels import count_both_ways, nearest_by_users, write_both_ways
from homefeed.retrieve.item_item.kernels import Indices, Starts, in_parallel, joined_rows, mark_strongest
from homefeed.retrieve.item_item.matrix import Matrix, rows_of, sums
from homefeed.types import Floats

_ROWS_AT_ONCE: Final = 16_384
_RANGES: Final = 64
"""What is read of one of so many ranges of rows meanwhile fits the cache."""


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

    def blocks(self) -> Iterator[tuple[slice, slice]]:
        """The rows, so many at a time, and their entries: computed with in parts, they need little memory."""
        for first in range(0, len(self), _ROWS_AT_ONCE):
            last = min(first + _ROWS_AT_ONCE, len(self))
            yield slice(first, last), slice(self.starts[first], self.starts[last])

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
        *rows_of(by_item),
        *rows_of(matrix),
        *(weights, np.sqrt(own), min_users, max_neighbours),
    ]
    return Gram(*both_ways(*joined_rows(in_parallel(nearest_by_users, (0, len(own)), *arguments))), own)


def both_ways(starts: Starts, others: Indices, shared: Floats) -> tuple[Starts, Indices, Floats]:
    """A square CSR matrix made symmetric: of two values the larger."""
    rows = (0, len(starts) - 1)
    counts = in_parallel(count_both_ways, rows, starts, others, parts=_RANGES)
    both = np.concatenate([[0], np.cumsum(np.concatenate([np.empty(0, np.int64), *counts]))])
    both_others, both_shared = np.empty(both[-1], np.int32), np.empty(both[-1], np.float32)
    in_parallel(write_both_ways, rows, starts, others, shared, both, both_others, both_shared, parts=_RANGES)
    return both, both_others, both_shared


def strongest(starts: Starts, weights: Floats, max_entries: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """(entries,) which of a CSR matrix are among the `max_entries` largest of their row, whatever their sign."""
    kept = np.zeros(len(weights), np.bool_)
    in_parallel(mark_strongest, (0, len(starts) - 1), starts, weights, max_entries, kept)
    return kept
