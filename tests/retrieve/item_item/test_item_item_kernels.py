"""The compiled loops do what the same lines do in Python; and all rows get done, whoever does them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
from tests.retrieve.item_item.item_item_sample import matrix_of, random_table

from homefeed.retrieve.item_item import kernels
from homefeed.retrieve.item_item.gram import Gram, gram_of
from homefeed.retrieve.item_item.kernels import (
    dot_products,
    in_parallel,
    local_ridge,
    mark_strongest,
    nearest_by_users,
    sort_rows,
    sparse_times_dense,
)
from homefeed.retrieve.item_item.matrix import Matrix
from homefeed.types import Floats

USERS, ITEMS = 12, 9


@pytest.fixture(params=[0, 1])
def matrix(request: pytest.FixtureRequest) -> Matrix:
    return matrix_of(random_table(request.param, USERS, ITEMS))


@pytest.fixture
def gram(matrix: Matrix) -> Gram:
    return gram_of(matrix, 0.6, ITEMS, 1)


def check_alike(kernel: Callable[..., None], arguments: list[Any], *outputs: np.ndarray) -> None:
    """Compiled and in Python the outputs are the same; and they are not what they were before."""
    before = [output.copy() for output in outputs]
    kernel(*arguments)
    compiled = [output.copy() for output in outputs]
    assert any((now != then).any() for now, then in zip(compiled, before, strict=True))
    for output, then in zip(outputs, before, strict=True):
        output[...] = then
    cast(Any, kernel).py_func(*arguments)
    for output, expected in zip(outputs, compiled, strict=True):
        np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-6)


def random_floats(*shape: int) -> Floats:
    return np.random.default_rng(4).standard_normal(shape, np.float32)


@pytest.mark.parametrize(("most", "least"), [(3, 1), (3, 2), (ITEMS, 1)])
def test_nearest_by_users(matrix: Matrix, most: int, least: int) -> None:
    by_item = matrix.T.tocsr()
    found, shared = np.full((ITEMS - 2, most), -1, np.int32), np.zeros((ITEMS - 2, most), np.float32)
    weights, lengths = np.abs(random_floats(USERS)), 1 + np.abs(random_floats(ITEMS))
    arguments = [2, ITEMS, by_item.indptr.astype(np.int64), by_item.indices, by_item.data]
    arguments += [matrix.indptr.astype(np.int64), matrix.indices, matrix.data, weights, lengths]
    check_alike(nearest_by_users, [*arguments, least, most, 2, found, shared], found, shared)


@pytest.mark.parametrize("penalty", [1.0, 15.0])
def test_local_ridge(gram: Gram, penalty: float) -> None:
    nearest = np.full((ITEMS, 4), -1, np.int32)
    for item in range(ITEMS - 1):  # the last has none
        near = gram.others[gram.starts[item] : gram.starts[item + 1]][: 1 + item % 4]
        nearest[item, : len(near)] = near
    weights = np.zeros(nearest.shape, np.float32)
    arguments = [0, ITEMS, gram.starts, gram.others, gram.shared, gram.own, nearest, np.float32(penalty), weights]
    check_alike(local_ridge, arguments, weights)
    assert not weights[nearest < 0].any()


@pytest.mark.parametrize("singular", [False, True])
def test_solve(singular: bool) -> None:
    made = np.full((3, 3), 2, np.float32) if singular else np.diag(np.array([2, 4, 8], np.float32))
    target = np.array([[2], [2], [2]], np.float32)
    check_alike(kernels._solve, [made, target], target)
    expected = [1 / 3] * 3 if singular else [1, 0.5, 0.25]
    np.testing.assert_allclose(target.ravel(), expected, rtol=1e-4)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_cannot_be_solved_at_all_has_no_answer(value: float) -> None:
    target = np.ones((2, 1), np.float32)
    kernels._solve(np.array([[value, 1], [1, 1]], np.float32), target)
    assert np.isnan(target).all()


def test_dot_products(gram: Gram) -> None:
    left, right = random_floats(ITEMS, 5), random_floats(ITEMS, 5) + 1
    products = np.zeros(len(gram.others), np.float32)
    check_alike(dot_products, [0, ITEMS, gram.starts, gram.others, left, right, products], products)
    np.testing.assert_allclose(products, (left @ right.T)[gram.rows, gram.others], rtol=1e-4, atol=1e-5)


def test_sparse_times_dense(matrix: Matrix) -> None:
    dense, product = random_floats(ITEMS, 3), np.zeros((USERS, 3), np.float32)
    starts = matrix.indptr.astype(np.int64)
    check_alike(sparse_times_dense, [0, USERS, starts, matrix.indices, matrix.data, dense, product], product)


@pytest.mark.parametrize("most", [1, 3, ITEMS])
def test_mark_strongest(gram: Gram, most: int) -> None:
    kept = np.zeros(len(gram.others), np.bool_)
    signed = random_floats(len(gram.others))
    check_alike(mark_strongest, [0, ITEMS, gram.starts, signed, most, kept], kept)


def test_sort_rows(gram: Gram) -> None:
    others, weights = gram.others.copy(), random_floats(len(gram.others))
    check_alike(sort_rows, [0, ITEMS, gram.starts, others, weights], others, weights)
    for start, stop in zip(gram.starts, gram.starts[1:], strict=False):
        assert (np.diff(weights[start:stop]) <= 0).all()


@pytest.mark.parametrize("rows", [(0, 0), (0, 1), (0, 1_000), (100, 612), (5, 262)])
@pytest.mark.parametrize("cores", [1, 3])
def test_every_row_is_done_once(rows: tuple[int, int], cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: set(range(cores)), raising=False)
    done = np.zeros(1_000, np.int64)

    def kernel(start: int, stop: int, output: np.ndarray) -> None:
        output[start:stop] += 1

    in_parallel(kernel, rows, done)
    expected = np.zeros(1_000)
    expected[slice(*rows)] = 1
    np.testing.assert_array_equal(done, expected)


def test_what_goes_wrong_in_a_thread_is_told() -> None:
    def kernel(start: int, stop: int) -> None:
        raise ValueError(f"rows {start} to {stop}")

    with pytest.raises(ValueError, match="rows 0 to 3"):
        in_parallel(kernel, (0, 3))
