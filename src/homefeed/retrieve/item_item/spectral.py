"""The third view: pairs of items by the strongest patterns of the whole matrix."""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.sparse as sp
from scipy.linalg import solve_triangular
from threadpoolctl import threadpool_limits

from homefeed.retrieve.item_item.gram import Gram
from homefeed.retrieve.item_item.kernels import in_parallel
from homefeed.retrieve.item_item.matrix import Matrix, rows_of, sums
from homefeed.retrieve.item_item.view_kernels import dot_products, sparse_times_dense
from homefeed.types import Floats, Mask, Positions

_ITERATIONS: Final = 7
_OVERSAMPLING: Final = 32
_CLOSEST: Final = 1e-3
_ROWS_AT_ONCE: Final = 16_384


def spectral(gram: Gram, matrix: Matrix, dimensions: int, seed: int) -> Floats:
    """D^-1/2 V S V' D^1/2 of the pairs that share users: values of the Gram matrix's entries.

    V and S are the `dimensions` largest right singular vectors and values of the matrix divided by the square
    roots of its users' and items' sums, D those of the items: the low-pass filter of GF-CF (Shen et al., "How
    powerful is graph convolution for recommendation?", CIKM 2021, equation 9) with singular values for weights.
    """
    users, roots = sums(matrix, axis=1) ** -0.5, sums(matrix, axis=0) ** np.float32(0.5)
    normalised = matrix.multiply(users[:, None]).multiply(1 / roots[None, :]).tocsr().astype(np.float32)
    strength, items, directions = leading_directions(normalised, dimensions, np.random.default_rng(seed))
    rows = np.zeros(len(gram), np.int32)
    rows[items] = np.arange(len(items))
    products = np.zeros(len(gram.others), np.float32)
    in_parallel(
        *(dot_products, (0, len(gram))),
        *(gram.starts, gram.others, rows, directions, strength, roots, products),
    )
    return products


def leading_directions(matrix: Matrix, count: int, rng: np.random.Generator) -> tuple[Floats, Positions, Floats]:
    """The largest singular values (count,) of a matrix, or fewer, and its right singular vectors.

    Those are 0 but for the columns (n,) that have entries, which are returned with what they have (n, count).

    By the randomised range finder with power iterations, orthogonal after each (Halko, Martinsson & Tropp, SIAM
    Review 2011, algorithm 4.4), on the shorter side. scikit-learn's spends ten times as long in Householder
    reflections; Cholesky factors will do, as the power iterations here make no nearly equal columns.
    """
    size = min(count + _OVERSAMPLING, *matrix.shape)
    filled = np.bincount(matrix.indices, minlength=matrix.shape[1]) > 0
    basis = _random_rows(rng, filled, size)
    columns = (np.cumsum(filled) - 1)[matrix.indices].astype(np.int32)
    matrix = sp.csr_array((matrix.data, columns, matrix.indptr), shape=(matrix.shape[0], len(basis)))
    transposed = sp.csr_array(matrix.T)
    if matrix.shape[0] < len(basis):
        images = _times(matrix, basis)
        del basis  # as large as what follows
        for _ in range(_ITERATIONS - 1):
            images = _times(matrix, _times(transposed, _orthogonal(images)))
        basis = _orthogonal(_times(transposed, _orthogonal(images)))
    else:
        for _ in range(_ITERATIONS):
            basis = _orthogonal(_times(transposed, _times(matrix, basis)))
    images = _times(matrix, basis)
    squares, rotation = np.linalg.eigh((images.T @ images).astype(np.float64))
    squares, rotation = squares[::-1][:count], rotation[:, ::-1][:, :count]
    strength = np.sqrt(np.maximum(squares, 0)).astype(np.float32)
    return strength, np.flatnonzero(filled).astype(np.int32), _turned(basis, rotation.astype(np.float32))


def _random_rows(rng: np.random.Generator, kept: Mask, width: int) -> Floats:
    """Of normally distributed rows, one for each of `kept`, those that are."""
    rows = np.empty((np.count_nonzero(kept), width), np.float32)
    end = 0
    for first in range(0, len(kept), _ROWS_AT_ONCE):
        block = kept[first : first + _ROWS_AT_ONCE]
        drawn = rng.standard_normal((len(block), width), np.float32)[block]
        rows[end : end + len(drawn)] = drawn
        end += len(drawn)
    return rows


def _turned(vectors: Floats, turn: Floats) -> Floats:
    """The product of many rows and a matrix that makes them no longer, in their own memory."""
    length, width = turn.shape
    flat = vectors.reshape(-1)
    for first in range(0, len(vectors), _ROWS_AT_ONCE):
        block = flat[first * length : (first + _ROWS_AT_ONCE) * length].reshape(-1, length)
        flat[first * width : first * width + len(block) * width] = (block @ turn).reshape(-1)
    return flat[: len(vectors) * width].reshape(len(vectors), width)


def _orthogonal(vectors: Floats) -> Floats:
    """Orthonormal columns that span what those of `vectors` do, by the Cholesky factor of their products.

    They take the memory of `vectors`.
    """
    products = (vectors.T @ vectors).astype(np.float64)
    try:
        with threadpool_limits(1, "blas"):  # threads would wait for each other longer than this takes
            factor = np.linalg.cholesky(products)
    except np.linalg.LinAlgError:
        factor = np.zeros_like(products)
    size = np.diagonal(factor)
    if len(size) and size.min() > _CLOSEST * size.max():
        turn = solve_triangular(factor, np.eye(len(factor)), lower=True).T
    else:  # some columns are nothing but a mixture of others
        lengths, directions = np.linalg.eigh(products)
        there = lengths > _CLOSEST**2 * lengths.max(initial=1e-30)
        turn = directions[:, there] / np.sqrt(lengths[there])
    return _turned(vectors, np.ascontiguousarray(turn, np.float32))


def _times(sparse: Matrix, dense: Floats) -> Floats:
    product = np.zeros((sparse.shape[0], dense.shape[1]), np.float32)
    in_parallel(
        sparse_times_dense,
        (0, sparse.shape[0]),
        *(*rows_of(sparse), np.ascontiguousarray(dense), product),
    )
    return product
