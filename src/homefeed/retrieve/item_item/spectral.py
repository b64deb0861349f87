"""The third view: pairs of items by the strongest patterns of the whole matrix."""

from __future__ import annotations

from typing import Final

import numpy as np
import scipy.sparse as sp
from scipy.linalg import solve_triangular
from threadpoolctl import threadpool_limits

from homefeed.retrieve.item_item.gram import Gram
from homefeed.retrieve.item_item.kernels import dot_products, in_parallel, sparse_times_dense
from homefeed.retrieve.item_item.matrix import Matrix, sums
from homefeed.types import Floats

_ITERATIONS: Final = 7
_OVERSAMPLING: Final = 32
_CLOSEST: Final = 1e-3


def spectral(gram: Gram, matrix: Matrix, dimensions: int, seed: int) -> Matrix:
    """D^-1/2 V S V' D^1/2 of the pairs that share users.

    V and S are the `dimensions` largest right singular vectors and values of the matrix divided by the square
    roots of its users' and items' sums, D those of the items: the low-pass filter of GF-CF (Shen et al., "How
    powerful is graph convolution for recommendation?", CIKM 2021, equation 9) with singular values for weights.
    """
    users, items = sums(matrix, axis=1) ** -0.5, sums(matrix, axis=0) ** np.float32(0.5)
    normalised = matrix.multiply(users[:, None]).multiply(1 / items[None, :]).tocsr().astype(np.float32)
    strength, directions = leading_directions(normalised, dimensions, np.random.default_rng(seed))
    left = np.ascontiguousarray(directions * strength / items[:, None])
    right = np.ascontiguousarray(directions * items[:, None])
    products = np.zeros(len(gram.others), np.float32)
    in_parallel(dot_products, (0, len(gram)), gram.starts, gram.others, left, right, products)
    return gram.matrix(products)


def leading_directions(matrix: Matrix, count: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The largest singular values (count,) of a matrix and its right singular vectors (columns, count), or fewer.

    By the randomised range finder with power iterations, orthogonal after each (Halko, Martinsson & Tropp, SIAM
    Review 2011, algorithm 4.4), on the side of the columns. scikit-learn's spends ten times as long in Householder
    reflections; Cholesky factors will do, as the power iterations here make no nearly equal columns.
    """
    transposed = sp.csr_array(matrix.T)
    basis = rng.standard_normal((matrix.shape[1], min(count + _OVERSAMPLING, *matrix.shape)), np.float32)
    for _ in range(_ITERATIONS):
        basis = _orthogonal(_times(transposed, _times(matrix, basis)))
    images = _times(matrix, basis)
    squares, rotation = np.linalg.eigh((images.T @ images).astype(np.float64))
    squares, rotation = squares[::-1][:count], rotation[:, ::-1][:, :count]
    return np.sqrt(np.maximum(squares, 0)).astype(np.float32), basis @ rotation.astype(np.float32)


def _orthogonal(vectors: Floats) -> Floats:
    """Orthonormal columns that span what those of `vectors` span, by the Cholesky factor of their products."""
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
    return np.asarray(vectors @ turn.astype(np.float32), np.float32)


def _times(sparse: Matrix, dense: Floats) -> Floats:
    product = np.zeros((sparse.shape[0], dense.shape[1]), np.float32)
    in_parallel(
        sparse_times_dense,
        (0, sparse.shape[0]),
        *(sparse.indptr.astype(np.int64), sparse.indices, sparse.data, np.ascontiguousarray(dense), product),
    )
    return product
