"""The spectral view, held against numpy's singular value decomposition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from tests.retrieve.item_item.item_item_sample import Dense, common_users, matrix_of, random_table, tables

from homefeed.retrieve.item_item.gram import gram_of
from homefeed.retrieve.item_item.matrix import sums
from homefeed.retrieve.item_item.spectral import leading_directions, spectral, spectral_of_pairs
from homefeed.types import Floats

LEFT_OUT = 0.032
"""Singular values below this share of the largest drown in the rounding of float32, and are left out."""


def normalised(table: Dense) -> Dense:
    users, items = (np.where(total > 0, total, 1) ** -0.5 for total in (table.sum(axis=1), table.sum(axis=0)))
    divided: Dense = users[:, None] * table * items[None, :]
    return divided


def by_numpy(table: Dense, dimensions: int) -> Dense:
    """(items, items) D^-1/2 V S V' D^1/2 of the pairs that share users."""
    root = np.sqrt(np.where(table.sum(axis=0) > 0, table.sum(axis=0), 1))
    _, values, directions = np.linalg.svd(normalised(table), full_matrices=False)
    values, directions = values[:dimensions], directions[:dimensions]
    every = (directions.T * values) @ directions
    found: Dense = every / root[:, None] * root[None, :] * (common_users(table) > 0)
    return found


def spectral_of(table: Dense, dimensions: int, seed: int = 0) -> Dense:
    matrix = matrix_of(table)
    gram = gram_of(matrix, 0.6, 50, 1)
    found = spectral(gram, matrix, sums(matrix, axis=0), dimensions, seed)
    assert found.dtype == np.float32
    return gram.matrix(found).toarray().astype(np.float64)


def directions_of(dense: Dense, count: int) -> tuple[Floats, Floats]:
    """The singular values, and the vectors of all columns."""
    directions = leading_directions(matrix_of(dense), count, np.random.default_rng(0))
    assert directions.columns.tolist() == np.flatnonzero(dense.any(axis=0)).tolist()
    found = np.zeros((dense.shape[1], len(directions.values)), np.float32)
    for dimension in range(len(directions.values)):
        found[directions.columns, dimension] = directions.vectors(slice(dimension, dimension + 1))[:, 0]
    return directions.values, found


def of_spectrum(values: list[float], rows: int, columns: int) -> Dense:
    """A matrix of these singular values."""
    rng = np.random.default_rng(5)
    left, right = (np.linalg.qr(rng.standard_normal((size, len(values))))[0] for size in (rows, columns))
    made: Dense = (left * values) @ right.T
    return made


@settings(max_examples=40)
@given(table=tables)
def test_all_dimensions_by_numpy(table: Dense) -> None:
    root = np.sqrt(np.where(table.sum(axis=0) > 0, table.sum(axis=0), 1))
    tolerance = LEFT_OUT * root[None, :] / root[:, None] + 1e-5
    assert (np.abs(spectral_of(table, 50) - by_numpy(table, 50)) <= tolerance).all()


@pytest.mark.parametrize("seed", range(4))
def test_all_dimensions_of_a_well_conditioned_matrix_by_numpy(seed: int) -> None:
    table = random_table(seed, users=40, items=8, density=0.5)
    assert np.linalg.svd(normalised(table), compute_uv=False).min() > 2 * LEFT_OUT
    np.testing.assert_allclose(spectral_of(table, 8), by_numpy(table, 8), atol=2e-6)


def test_pairs_have_the_patterns_of_the_matrix() -> None:
    table = random_table(5, users=60, items=12, density=0.4)
    matrix = matrix_of(table)
    totals = sums(matrix, axis=0)
    gram, patterns = gram_of(matrix, 0.6, 50, 1), gram_of(matrix, 1.0, 50, 1)
    found = spectral_of_pairs(gram, patterns, totals, 6, 0)
    np.testing.assert_allclose(found, spectral(gram, matrix, totals, 6, 0), atol=2e-3)


@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_the_leading_dimensions_of_groups_by_numpy(dimensions: int) -> None:
    # Three groups of users and items that hardly mix, so that three directions tell nearly all.
    rng = np.random.default_rng(11)
    group = np.repeat(np.arange(3), [30, 20, 10])
    table = (rng.random((60, 60)) < np.where(group[:, None] == group, 0.6, 0.03)) * rng.uniform(0.5, 2, (60, 60))
    values = np.linalg.svd(normalised(table), compute_uv=False)
    assert values[dimensions - 1] - values[dimensions] > 0.02
    np.testing.assert_allclose(spectral_of(table, dimensions), by_numpy(table, dimensions), atol=2e-4)


def test_one_dimension_says_who_is_popular() -> None:
    # The largest singular value is 1, its direction the roots of the items' sums: what is left is D / total.
    table = random_table(3, users=30, items=6, density=1)
    total = table.sum(axis=0)
    expected = np.where(common_users(table) > 0, total[None, :] / total.sum(), 0)
    np.testing.assert_allclose(spectral_of(table, 1), expected, rtol=1e-4)


@pytest.mark.parametrize("count", [1, 3, 5])
@pytest.mark.parametrize("shape", [(40, 30), (30, 90), (60, 5)])
def test_leading_directions_by_numpy(count: int, shape: tuple[int, int]) -> None:
    dense = of_spectrum([8, 4, 2, 1, 0.5], *shape)
    values, directions = directions_of(dense, count)
    assert (values.shape, directions.shape) == ((count,), (shape[1], count))
    np.testing.assert_allclose(values, [8, 4, 2, 1, 0.5][:count], rtol=1e-4)
    _, _, expected = np.linalg.svd(dense, full_matrices=False)
    # Up to sign.
    np.testing.assert_allclose(np.abs(expected[:count] @ directions), np.eye(count), atol=1e-4)
    np.testing.assert_allclose(directions.T @ directions, np.eye(count), atol=1e-5)


def test_directions_that_look_alike_come_as_a_whole() -> None:
    dense = of_spectrum([2, 1, 1, 1, 0.25], 30, 20)
    values, directions = directions_of(dense, 4)
    np.testing.assert_allclose(values, [2, 1, 1, 1], rtol=1e-5)
    _, _, expected = np.linalg.svd(dense, full_matrices=False)
    # One may be turned into the other, but not out of what they span.
    np.testing.assert_allclose(directions @ directions.T, expected[:4].T @ expected[:4], atol=1e-5)


@pytest.mark.parametrize(
    ("dense", "values"),
    [
        (np.zeros((3, 4)), []),
        (np.array([[2.0]]), [2]),
        (np.array([[3.0, 4.0]]), [5]),
        (np.array([[3.0], [4.0]]), [5]),
        (np.ones((6, 5)), [np.sqrt(30)]),
        (np.diag([1.0, 0.01]), [1]),
    ],
)
def test_there_are_no_more_directions_than_the_matrix_has(dense: Dense, values: list[float]) -> None:
    found, directions = directions_of(dense, 7)
    np.testing.assert_allclose(found[found > 1e-3], values, rtol=1e-5)
    assert directions.shape == (dense.shape[1], len(found))
    assert np.isfinite(directions).all()


@pytest.mark.parametrize(
    "table", [np.ones((1, 1)), np.ones((1, 4)), np.ones((4, 1)), np.ones((5, 3)), np.eye(4), np.zeros((3, 3))]
)
def test_matrices_of_hardly_anything(table: Dense) -> None:
    np.testing.assert_allclose(spectral_of(table, 512), by_numpy(table, 512), atol=1e-6)


def test_the_seed_decides_to_the_bit_and_otherwise_hardly_matters() -> None:
    table = random_table(7, users=50, items=30, density=0.2)
    once, again, other = (spectral_of(table, 5, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()
    np.testing.assert_allclose(other, by_numpy(table, 5), atol=5e-3)
