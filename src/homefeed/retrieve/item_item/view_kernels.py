"""Compiled loops of the views: local regressions, products of vectors, and of sparse matrices with dense ones."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from homefeed.kernels import compiled
from homefeed.retrieve.item_item.kernels import SUMS, Indices, Starts, largest, place_of
from homefeed.types import Floats

_SINGULAR: Final = 1e-5
"""A matrix is not solved by its Cholesky factor where that keeps no more of a row."""


@partial(compiled, nogil=True, fastmath=SUMS)
def _solve_indefinite(gram: Floats, target: Floats) -> None:
    penalty = np.float32(1e-4) * gram.max()
    for _ in range(30):  # by then it outweighs all else
        try:
            target[:] = np.linalg.solve(gram, target)
            return
        except Exception:  # as above
            for place in range(len(gram)):
                gram[place, place] += penalty
            penalty *= np.float32(2)
    target[:] = np.nan


@partial(compiled, nogil=True, fastmath=SUMS)
def _solve(gram: Floats, target: Floats) -> None:
    """Turn `target` into the w of `gram` w = `target`; what has none gets a larger penalty until it has.

    A Gram matrix without all of its entries may be indefinite, so that no penalty makes it regular for sure.
    """
    try:
        factor = np.linalg.cholesky(gram)
    except Exception:  # LinAlgError, which compiled code cannot name
        _solve_indefinite(gram, target)
        return
    for row in range(len(factor)):
        # What is left of a row is rounding, or no number.
        if not _SINGULAR * gram[row, row] < factor[row, row] ** 2 < np.inf:
            _solve_indefinite(gram, target)
            return
    for row in range(len(factor)):
        total = target[row]
        for column in range(row):
            total -= factor[row, column] * target[column]
        target[row] = total / factor[row, row]
    for row in range(len(factor) - 1, -1, -1):
        target[row] /= factor[row, row]
        for column in range(row):
            target[column] -= factor[row, column] * target[row]


@partial(compiled, nogil=True, fastmath=SUMS)
def local_ridge(
    start: int,
    stop: int,
    starts: Starts,
    others: Indices,
    shared: Floats,
    half_starts: Starts,
    half_others: Indices,
    half_shared: Floats,
    own: Floats,
    lengths: Floats,
    max_neighbours: int,
    penalty: float,
    weights: Floats,
) -> None:
    """Of each item the ridge regression on its nearest ones: solves (G + penalty I) w = g on their Gram matrix.

    `starts`, `others` and `shared` are the symmetric Gram matrix in CSR without its diagonal `own`, of which
    `lengths` are the square roots; those that begin with `half` have each of its pairs once. The `max_neighbours`
    nearest by cosine are taken. `weights` (entries,) takes the weight of each at the entry whose row is the near
    one and whose column the item; the other entries keep what they have.
    """
    elsewhere = max_neighbours  # what is not between the nearest goes to a column that is not read
    places = np.full(len(own), elsewhere, np.int32)
    half = np.empty((max_neighbours, max_neighbours + 1), np.float32)
    for item in range(start, stop):
        row = others[starts[item] : starts[item + 1]]
        cosines = shared[starts[item] : starts[item + 1]] / (lengths[item] * lengths[row])
        entries = largest(cosines, max_neighbours)
        near = row[entries]
        if len(near) == 0:
            continue
        for place in range(len(near)):
            places[near[place]] = place
        gram = np.empty((len(near), len(near)), np.float32)
        target = np.empty(len(near), np.float32)
        for place in range(len(near)):
            half[place] = 0
            for entry in range(half_starts[near[place]], half_starts[near[place] + 1]):
                half[place, places[half_others[entry]]] = half_shared[entry]
        for place in range(len(near)):
            for other in range(place):
                gram[place, other] = gram[other, place] = half[place, other] + half[other, place]
            gram[place, place] = own[near[place]] + penalty
            target[place] = shared[starts[item] + entries[place]]
        _solve(gram, target)
        for place in range(len(near)):
            if np.isfinite(target[place]):
                entry = place_of(others, item, starts[near[place]], starts[near[place] + 1])
                weights[entry] = target[place]
            places[near[place]] = elsewhere


@partial(compiled, nogil=True, fastmath=SUMS)
def dot_products(
    start: int,
    stop: int,
    starts: Starts,
    others: Indices,
    rows: Indices,
    vectors: Floats,
    scales: Floats,
    roots: Floats,
    products: Floats,
) -> None:
    """To each entry (i, j) of a CSR pattern, add sum over d of scales[d] v(i, d) v(j, d), times root(j) / root(i).

    `rows` are the rows of the items among `vectors`, -1 of those of 0.
    """
    for item in range(start, stop):
        if starts[item] == starts[item + 1] or rows[item] < 0:
            continue
        left = vectors[rows[item]] * scales / roots[item]
        for entry in range(starts[item], starts[item + 1]):
            right = rows[others[entry]]
            if right < 0:
                continue
            total = np.float32(0)
            for dimension in range(len(left)):
                total += left[dimension] * vectors[right, dimension]
            products[entry] += total * roots[others[entry]]


@partial(compiled, nogil=True, fastmath=SUMS)
def sparse_times_dense(
    start: int, stop: int, starts: Starts, columns: Indices, values: Floats, dense: Floats, product: Floats
) -> None:
    """Rows of the product of a CSR matrix and a dense one."""
    for row in range(start, stop):
        for entry in range(starts[row], starts[row + 1]):
            for column in range(dense.shape[1]):
                product[row, column] += values[entry] * dense[columns[entry], column]
