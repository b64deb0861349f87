"""The damped cosine and the local ridge, held against what numpy makes of dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.retrieve.item_item.item_item_sample import (
    Dense,
    common_users,
    cosines_of,
    dense_gram,
    is_clear,
    matrix_of,
    random_table,
    tables,
)

from homefeed.retrieve.item_item.gram import Gram, gram_of
from homefeed.retrieve.item_item.matrix import no_entries, sums
from homefeed.retrieve.item_item.views import damped_cosine, ridge

ALL = 10
exponents = st.sampled_from([0.0, 0.4, 0.5, 1.0])


def ridge_of(table: Dense, neighbours: int, penalty: float, *, least: int = 1) -> Dense:
    gram = gram_of(matrix_of(table), 0.6, ALL, least)
    return gram.matrix(ridge(gram, neighbours, penalty)).toarray().astype(np.float64)


def solved(table: Dense, neighbours: int, penalty: float) -> Dense:
    """Item by item on the `neighbours` nearest by cosine, with the w of user exponent 0.6."""
    gram = dense_gram(table, 0.6)
    cosine = cosines_of(gram)
    weights = np.zeros(gram.shape)
    for item, row in enumerate(cosine):
        nearest = [other for other in np.argsort(-row)[:neighbours] if row[other] > 0]
        if nearest:
            own = gram[np.ix_(nearest, nearest)] + penalty * np.eye(len(nearest))
            weights[nearest, item] = np.linalg.solve(own, gram[nearest, item])
    return weights


@settings(max_examples=40)
@given(
    table=tables,
    of_user=exponents,
    of_item=exponents,
    power=st.sampled_from([0.5, 0.7, 1.0, 2.0]),
    shrinkage=st.sampled_from([0.0, 2.0]),
    least=st.integers(1, 2),
)
def test_damped_cosines_are_those_of_the_formula(
    table: Dense, of_user: float, of_item: float, power: float, shrinkage: float, least: int
) -> None:
    degree = table.sum(axis=0)
    degree = np.where(degree > 0, degree, 1) ** of_item
    shared = dense_gram(table, of_user) * (common_users(table) >= least)
    matrix = matrix_of(table)
    gram = gram_of(matrix, of_user, ALL, least)
    found = damped_cosine(gram, sums(matrix, axis=0), of_item, power, shrinkage)
    expected = (shared / (np.outer(degree, degree) + shrinkage)) ** power
    np.testing.assert_allclose(gram.matrix(found).toarray(), expected, rtol=1e-5)
    assert found.dtype == np.float32


def test_exponents_of_the_cosine_give_the_cosine() -> None:
    table = np.array([[1, 1, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1.0]])
    matrix = matrix_of(table)
    gram = gram_of(matrix, 0, ALL, 1)
    found = gram.matrix(damped_cosine(gram, sums(matrix, axis=0), 0.5, 1, 0)).toarray()
    cosine = 1 / np.sqrt(2 * 3)
    np.testing.assert_allclose(found, [[0, cosine, 0], [cosine, 0, 0], [0, 0, 0]], rtol=1e-6)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 1_000),
    neighbours=st.integers(1, ALL),
    penalty=st.sampled_from([0.5, 3.0, 15.0]),
    density=st.sampled_from([0.1, 0.4, 0.8]),
)
def test_ridge_weights_solve_each_items_system(seed: int, neighbours: int, penalty: float, density: float) -> None:
    table = random_table(seed, users=12, items=9, density=density)
    assume(is_clear(cosines_of(dense_gram(table, 0.6)), neighbours))
    expected = solved(table, neighbours, penalty)
    np.testing.assert_allclose(ridge_of(table, neighbours, penalty), expected, atol=1e-5)


def test_the_row_is_the_item_of_the_history_and_the_column_what_it_foresees() -> None:
    # Two users had both, four more had 1 alone.
    found = ridge_of(np.array([*[[1, 1]] * 2, *[[0, 1]] * 4], np.float64), 5, 1.0)
    shared = 2 * 2**-0.6
    np.testing.assert_allclose(found, [[0, shared / (shared + 1)], [shared / (shared + 4 + 1), 0]], rtol=1e-5)


def test_what_stands_for_another_already_counted_weighs_against() -> None:
    # 0 goes with 1 and with 2, but 1 and 2 exclude one another but for one user.
    table = np.array([*[[1, 1, 0]] * 10, *[[1, 0, 1]] * 8, [1, 1, 1]], np.float64)
    gram = gram_of(matrix_of(table), 0, ALL, 1)
    found = gram.matrix(ridge(gram, 2, 1.0)).toarray()
    # Of item 1: 20 a + 9 b = 11 and 9 a + 10 b = 1.
    assert found[:, 1].tolist() == pytest.approx([101 / 119, 0, -79 / 119], rel=1e-5)
    # Nobody needs the copy of an item to foresee a third: together they weigh what one would.
    gram = gram_of(matrix_of(table[:, [0, 1, 1]]), 0, ALL, 1)
    copies = gram.matrix(ridge(gram, 2, 1.0)).toarray()
    assert copies[1:, 0].tolist() == pytest.approx([11 / 23, 11 / 23], rel=1e-5)


def test_items_without_neighbours_have_no_weights() -> None:
    table = np.array([[1, 1, 0, 0], [0, 0, 1, 0.0]])
    found = ridge_of(table, 3, 1.0)
    assert np.argwhere(found).tolist() == [[0, 1], [1, 0]]
    assert not ridge_of(table, 3, 1.0, least=2).any()
    assert not len(ridge(gram_of(no_entries(2, 3), 0.6, 5, 1), 3, 1.0))


@pytest.mark.parametrize("items", [3, 5])
def test_exact_copies_share_the_weight_even_without_a_penalty_to_speak_of(items: int) -> None:
    found = ridge_of(np.ones((4, items)), items, 1e-9)
    expected = (1 - np.eye(items)) / (items - 1)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_an_indefinite_thinned_matrix_still_has_an_answer() -> None:
    # 0 shares 4 with all others and 5 with all others; what 1 to 4 share with one another was left out.
    shared = np.zeros((6, 6), np.float32)
    shared[[0, 5]] = shared[:, [0, 5]] = 4
    np.fill_diagonal(shared, 0)
    entries = sp.csr_array(shared)
    gram = Gram(entries.indptr.astype(np.int64), entries.indices, entries.data, np.full(6, 4, np.float32))
    of_item_0 = shared[1:, 1:] + np.diag(gram.own[1:])
    assert np.linalg.eigvalsh(of_item_0).min() == pytest.approx(-4)
    with pytest.raises(np.linalg.LinAlgError):
        np.linalg.solve(of_item_0 + 4 * np.eye(5, dtype=np.float32), shared[1:, 0])
    found = gram.matrix(ridge(gram, 5, 4.0)).toarray()
    assert np.isfinite(found).all()
    # The others are solved as if nothing was the matter.
    assert found[:, 1].tolist() == pytest.approx([1 / 3, 0, 0, 0, 0, 1 / 3])
