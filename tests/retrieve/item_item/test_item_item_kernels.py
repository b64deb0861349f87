"""The compiled loops do what the same lines do in Python; and all rows get done, whoever does them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest
import scipy.sparse as sp
from tests.retrieve.item_item.item_item_sample import matrix_of, random_table

from homefeed.retrieve.item_item import view_kernels
from homefeed.retrieve.item_item.gram import Gram, gram_of
from homefeed.retrieve.item_item.gram_kernels import half_of_pairs, nearest_by_users
from homefeed.retrieve.item_item.kernels import (
    in_parallel,
    joined_rows,
    largest,
    mark_strongest,
    row_maxima,
    sort_rows,
    strongest_of_two,
)
from homefeed.retrieve.item_item.matrix import Matrix, rows_of
from homefeed.retrieve.item_item.view_kernels import dot_products, local_ridge, sparse_times_dense
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


def check_results(kernel: Callable[..., Any], arguments: list[Any]) -> Any:
    """What a kernel returns, which is what the same lines return in Python."""
    found = kernel(*arguments)
    for one, other in zip(found, cast(Any, kernel).py_func(*arguments), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5)
    return found


@pytest.mark.parametrize(("most", "least"), [(3, 1), (3, 2), (ITEMS, 1)])
def test_nearest_by_users(matrix: Matrix, most: int, least: int) -> None:
    weights, lengths = np.abs(random_floats(USERS)), 1 + np.abs(random_floats(ITEMS))
    arguments = [2, ITEMS, *rows_of(matrix.T.tocsr()), *rows_of(matrix), weights, lengths, least, most]
    counts, others, shared = check_results(nearest_by_users, arguments)
    assert counts.sum() == len(others) == len(shared) > 0
    assert counts.max() <= most


def test_nearest_by_users_by_hand() -> None:
    # Users 0 and 1 have the items 0 and 1, user 2 has 0 and 2, user 3 has 2 and 3.
    matrix: Matrix = sp.csr_array(np.array([[1, 2, 0, 0], [1, 1, 0, 0], [3, 0, 1, 0], [0, 0, 2, 1]], np.float32))
    sides = *rows_of(matrix.T.tocsr()), *rows_of(matrix)
    weights, lengths = np.array([1, 0.5, 2, 1], np.float32), np.array([1, 2, 0.5, 1], np.float32)

    def nearest(start: int, min_users: int, max_neighbours: int) -> list[list[float]]:
        arguments = start, 4, *sides, weights, lengths, min_users, max_neighbours
        return [column.tolist() for column in check_results(nearest_by_users, list(arguments))]

    # 0 and 1 share 1*2*1 + 1*1*0.5, 0 and 2 share 3*1*2, 2 and 3 share 2*1*1.
    assert nearest(0, 1, 2) == [[2, 1, 2, 1], [1, 2, 0, 0, 3, 2], [2.5, 6, 2.5, 6, 2, 2]]
    assert nearest(2, 1, 2) == [[2, 1], [0, 3, 2], [6, 2, 2]]
    # By the other's length 2 is nearer to 0 than 1 is, 0 nearer to 2 than 3 is.
    assert nearest(0, 1, 1) == [[1, 1, 1, 1], [2, 0, 0, 2], [6, 2.5, 6, 2]]
    assert nearest(0, 2, 2) == [[1, 1, 0, 0], [1, 0], [2.5, 2.5]]


@pytest.mark.parametrize("penalty", [1.0, 15.0])
def test_local_ridge(gram: Gram, penalty: float) -> None:
    entries = gram.starts, gram.others, gram.shared
    half = joined_rows([half_of_pairs(0, ITEMS, *entries)])
    weights = np.zeros(len(gram.others), np.float32)
    arguments = [0, ITEMS, *entries, *half, gram.own, np.sqrt(gram.own), 4, np.float32(penalty), weights]
    check_alike(local_ridge, arguments, weights)
    assert (np.count_nonzero(gram.matrix(weights).toarray(), axis=0) <= 4).all()


def test_each_pair_is_in_the_shorter_of_its_rows(gram: Gram) -> None:
    entries = gram.starts, gram.others, gram.shared
    counts, others, values = check_results(half_of_pairs, [0, ITEMS, *entries])
    rows, sizes = np.repeat(np.arange(ITEMS), counts), np.diff(gram.starts)
    assert (sizes[rows] <= sizes[others]).all()
    half = np.zeros((ITEMS, ITEMS), np.float32)
    half[rows, others] = values
    np.testing.assert_array_equal(half + half.T, gram.matrix(gram.shared).toarray())


def test_solve() -> None:
    target = np.array([2, 2, 2], np.float32)
    check_alike(view_kernels._solve, [np.diag(np.array([2, 4, 8], np.float32)), target], target)
    np.testing.assert_allclose(target, [1, 0.5, 0.25], rtol=1e-4)


def test_a_singular_system_gets_a_larger_penalty() -> None:
    made, target = np.full((3, 3), 2, np.float32), np.array([2, 2, 2], np.float32)
    solved = target.copy()
    view_kernels._solve(made.copy(), solved)
    check_alike(view_kernels._solve_indefinite, [made, target], target, made)
    np.testing.assert_allclose(target, [1 / 3] * 3, rtol=1e-4)
    np.testing.assert_allclose(solved, target, rtol=1e-4)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_cannot_be_solved_at_all_has_no_answer(value: float) -> None:
    target = np.ones(2, np.float32)
    view_kernels._solve(np.array([[value, 1], [1, 1]], np.float32), target)
    assert np.isnan(target).all()


def test_dot_products(gram: Gram) -> None:
    vectors, scales, roots = random_floats(ITEMS, 5), random_floats(5), 1 + np.abs(random_floats(ITEMS))
    products, rows = np.zeros(len(gram.others), np.float32), np.random.default_rng(1).permutation(ITEMS)
    arguments = [0, ITEMS, gram.starts, gram.others, rows.astype(np.int32), vectors, scales, roots, products]
    check_alike(dot_products, arguments, products)
    expected = (vectors[rows] * scales) @ vectors[rows].T * roots / roots[:, None]
    np.testing.assert_allclose(products, expected[gram.rows, gram.others], rtol=1e-4, atol=1e-5)


def test_items_without_a_vector_add_nothing(gram: Gram) -> None:
    rows = np.arange(ITEMS, dtype=np.int32)
    rows[[0, 3]] = -1
    products, ones = np.zeros(len(gram.others), np.float32), np.ones(ITEMS, np.float32)
    vectors = np.ones((ITEMS, 1), np.float32)
    dot_products(0, ITEMS, gram.starts, gram.others, rows, vectors, np.ones(1, np.float32), ones, products)
    assert products.tolist() == ((rows[gram.rows] >= 0) & (rows[gram.others] >= 0)).astype(np.float32).tolist()


@pytest.mark.parametrize("size", [0, 1, 20])
@pytest.mark.parametrize("most", [1, 5, 30])
def test_the_largest_by_a_stable_sort(size: int, most: int) -> None:
    for seed in range(20):
        sizes = np.random.default_rng(seed).choice(np.array([0, 0.5, 1, 2, np.nan], np.float32), size)
        expected = [place for place in np.argsort(-sizes, kind="stable") if sizes[place] > 0][:most]
        assert largest(sizes, most).tolist() == sorted(expected)
        assert cast(Any, largest).py_func(sizes, most).tolist() == sorted(expected)


def test_the_largest_of_rows_other_than_0() -> None:
    starts, weights = np.array([0, 2, 2, 3, 5], np.int64), np.array([-2, -1, 0, 0, 3], np.float32)
    assert (
        row_maxima(0, 4, starts, weights).tolist() == cast(Any, row_maxima).py_func(0, 4, starts, weights).tolist()
    )
    assert row_maxima(0, 4, starts, weights).tolist() == [-1, 3]


@pytest.mark.parametrize("backwards", [False, True])
def test_the_strongest_of_two(gram: Gram, backwards: bool) -> None:
    weights = random_floats(len(gram.others))
    more_starts = np.minimum(np.arange(ITEMS + 1), 0 if backwards else 1).astype(np.int64)
    more = np.array([ITEMS + 1], np.int32)[: more_starts[-1]], np.array([9], np.float32)[: more_starts[-1]]
    arguments = [0, ITEMS, gram.starts, gram.others, weights, more_starts, *more, 3, backwards]
    counts, others, found = check_results(strongest_of_two, arguments)
    ends = np.cumsum(counts)
    for row, (start, stop) in enumerate(zip(ends - counts, ends, strict=True)):
        here = dict(
            zip(
                gram.others[gram.starts[row] : gram.starts[row + 1]].tolist(),
                weights[gram.starts[row] : gram.starts[row + 1]].tolist(),
                strict=True,
            )
        ) | ({ITEMS + 1: 9.0} if row == 0 and not backwards else {})
        kept = sorted(here, key=lambda other: -abs(here[other]))[:3]
        expected = sorted(kept, key=lambda other: -here[other])
        assert others[start:stop].tolist() == expected
        assert found[start:stop].tolist() == [here[other] for other in expected]


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
