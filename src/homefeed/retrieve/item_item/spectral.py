"""The third view: pairs of items by the strongest patterns of the whole matrix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.linalg import solve_triangular

from homefeed.blas import one_thread
from homefeed.retrieve.item_item.gram import Gram
from homefeed.retrieve.item_item.kernels import in_parallel
from homefeed.retrieve.item_item.matrix import Matrix, rows_of, sums
from homefeed.retrieve.item_item.view_kernels import dot_products, sparse_times_dense
from homefeed.types import Floats, Mask, Positions

_ITERATIONS: Final = 7
_OVERSAMPLING: Final = 32
_CLOSEST: Final = 1e-3
_ROWS_AT_ONCE: Final = 16_384
_DIMENSIONS_AT_ONCE: Final = 136


def spectral(gram: Gram, matrix: Matrix, totals: Floats, dimensions: int, seed: int) -> Floats:
    """D^-1/2 V S V' D^1/2 of the pairs that share users: values of the Gram matrix's entries.

    V and S are the `dimensions` largest right singular vectors and values of the matrix divided by the square
    roots of its users' and items' sums, D those of the items: the low-pass filter of GF-CF (Shen et al., "How
    powerful is graph convolution for recommendation?", CIKM 2021, equation 9) with singular values for weights.
    `totals` (items,) are the items' sums.
    """
    users, roots = sums(matrix, axis=1) ** -0.5, totals ** np.float32(0.5)
    normalised = matrix.multiply(users[:, None]).multiply(1 / roots[None, :]).tocsr().astype(np.float32)
    return _products(gram, leading_directions(normalised, dimensions, np.random.default_rng(seed)), roots)


def spectral_of_pairs(gram: Gram, patterns: Gram, totals: Floats, dimensions: int, seed: int) -> Floats:
    """The same without the matrix, from what items share where each user weighs 1 / (sum over items of r).

    V are the eigenvectors of that, divided by the roots of the items' sums, and S the roots of its eigenvalues: so
    they are as near to those of the matrix as the pairs that `patterns` lacks are weak.
    """
    roots = totals ** np.float32(0.5)
    divided = np.asarray(patterns.shared / (roots[patterns.rows] * roots[patterns.others]), np.float32)
    square = sp.csr_array(patterns.matrix(divided) + sp.diags_array(patterns.own / totals, dtype=np.float32))
    found = leading_directions(square, dimensions, np.random.default_rng(seed))
    return _products(gram, replace(found, values=np.sqrt(found.values)), roots)


def _products(gram: Gram, found: Directions, roots: Floats) -> Floats:
    rows = np.full(len(gram), -1, np.int32)
    rows[found.columns] = np.arange(len(found.columns))
    products = np.zeros(len(gram.others), np.float32)
    for chosen in _slices(len(found.values)):
        vectors = found.vectors(chosen)
        in_parallel(
            *(dot_products, (0, len(gram))),
            *(gram.starts, gram.others, rows, vectors, found.values[chosen], roots, products),
        )
    return products


@dataclass(frozen=True, slots=True, eq=False)
class Directions:
    """The largest singular values (count,) of a matrix, and its right singular vectors.

    Those are 0 but for the `columns` (n,) of the matrix that have entries: there they are `basis` (n, count), or
    the product of `factor` (n, m) and `basis` (m, count).
    """

    values: Floats
    columns: Positions
    basis: Floats
    factor: Matrix | None = None

    def vectors(self, dimensions: slice) -> Floats:
        """(n, chosen) some of them: all at once may take as much memory as all else."""
        chosen = np.ascontiguousarray(self.basis[:, dimensions])
        return chosen if self.factor is None else _times(self.factor, chosen)


def leading_directions(matrix: Matrix, count: int, rng: np.random.Generator) -> Directions:
    """The largest singular values of a matrix, `count` or fewer, and its right singular vectors.

    By the randomised range finder with power iterations, orthogonal after each (Halko, Martinsson & Tropp, SIAM
    Review 2011, algorithm 4.4), on the shorter side. scikit-learn's spends ten times as long in Householder
    reflections; Cholesky factors will do, as the power iterations here make no nearly equal columns.
    """
    size = min(count + _OVERSAMPLING, *matrix.shape)
    filled = np.bincount(matrix.indices, minlength=matrix.shape[1]) > 0
    kept = np.flatnonzero(filled).astype(np.int32)
    columns = (np.cumsum(filled) - 1)[matrix.indices].astype(np.int32)
    matrix = sp.csr_array((matrix.data, columns, matrix.indptr), shape=(matrix.shape[0], len(kept)))
    transposed = sp.csr_array(matrix.T)
    start = _random_rows(rng, filled, size)
    if matrix.shape[0] < len(kept):
        values, basis = _by_rows(matrix, transposed, count, start, size)
        return Directions(values, kept, basis, transposed)
    values, basis = _by_columns(matrix, transposed, count, np.concatenate([*start]))
    return Directions(values, kept, basis)


def _by_columns(matrix: Matrix, transposed: Matrix, count: int, basis: Floats) -> tuple[Floats, Floats]:
    """Singular values, and the right singular vectors; from random numbers (columns, size)."""
    for _ in range(_ITERATIONS):
        basis = _orthogonal(_times(transposed, _times(matrix, basis)))
    images = _times(matrix, basis)
    values, rotation = _rotation(images.T @ images, count)
    return values, _turned(basis, rotation)


def _by_rows(
    matrix: Matrix, transposed: Matrix, count: int, start: Iterable[Floats], size: int
) -> tuple[Floats, Floats]:
    """Singular values, and what `transposed` times is the right singular vectors.

    What `_by_columns` finds, though no number for each column and dimension is ever in memory.
    """
    images = _times_blocks(transposed, start, size)
    for _ in range(_ITERATIONS - 1):
        images = _there_and_back(matrix, transposed, _orthogonal(images))
    basis = _orthogonal(images)
    images = _there_and_back(matrix, transposed, basis)
    products = (basis.T @ images).astype(np.float64)
    turn = _orthogonalising((products + products.T) / 2)
    values, rotation = _rotation(turn.T @ (images.T @ images) @ turn, count)
    del images
    return values, _turned(basis, np.asarray(turn @ rotation, np.float32))


def _rotation(products: npt.NDArray[Any], count: int) -> tuple[Floats, Floats]:
    """Of the products of images with each other, the largest singular values and the turn to their directions."""
    squares, rotation = np.linalg.eigh(products.astype(np.float64))
    squares, rotation = squares[::-1][:count], rotation[:, ::-1][:, :count]
    return np.sqrt(np.maximum(squares, 0)).astype(np.float32), rotation.astype(np.float32)


def _random_rows(rng: np.random.Generator, kept: Mask, width: int) -> Iterator[Floats]:
    """Of normally distributed rows, one for each of `kept`, those that are; some at a time."""
    for first in range(0, len(kept), _ROWS_AT_ONCE):
        block = kept[first : first + _ROWS_AT_ONCE]
        yield rng.standard_normal((len(block), width), np.float32)[block]


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
    return _turned(vectors, _orthogonalising((vectors.T @ vectors).astype(np.float64)).astype(np.float32))


def _orthogonalising(products: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What makes columns with these products with each other orthonormal."""
    try:
        with one_thread():  # threads would wait for each other longer than this takes
            factor = np.linalg.cholesky(products)
    except np.linalg.LinAlgError:
        factor = np.zeros_like(products)
    size = np.diagonal(factor)
    if len(size) and size.min() > _CLOSEST * size.max():
        return np.asarray(solve_triangular(factor, np.eye(len(factor)), lower=True).T)
    # Some columns are nothing but a mixture of others.
    lengths, directions = np.linalg.eigh(products)
    there = lengths > _CLOSEST**2 * lengths.max(initial=1e-30)
    return np.asarray(directions[:, there] / np.sqrt(lengths[there]))


def _there_and_back(matrix: Matrix, transposed: Matrix, vectors: Floats) -> Floats:
    """The matrix times its transpose times vectors; some dimensions at a time, as what is between is large."""
    images = np.empty_like(vectors)
    for chosen in _slices(vectors.shape[1]):
        between = _times(transposed, np.ascontiguousarray(vectors[:, chosen]))
        images[:, chosen] = _times(matrix, between)
    return images


def _times_blocks(transposed: Matrix, blocks: Iterable[Floats], width: int) -> Floats:
    """A matrix, given by its columns, times a dense one of that width that comes some rows at a time."""
    images, first = np.zeros((transposed.shape[1], width), np.float32), 0
    for block in blocks:
        part = sp.csr_array(transposed[first : first + len(block)].T)
        in_parallel(sparse_times_dense, (0, part.shape[0]), *rows_of(part), block, images)
        first += len(block)
    return images


def _slices(dimensions: int) -> list[slice]:
    """The dimensions, so many at a time."""
    return [slice(first, first + _DIMENSIONS_AT_ONCE) for first in range(0, dimensions, _DIMENSIONS_AT_ONCE)]


def _times(sparse: Matrix, dense: Floats) -> Floats:
    product = np.zeros((sparse.shape[0], dense.shape[1]), np.float32)
    in_parallel(
        sparse_times_dense,
        (0, sparse.shape[0]),
        *(*rows_of(sparse), np.ascontiguousarray(dense), product),
    )
    return product
