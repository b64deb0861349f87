"""The sparse Gram matrix, held against the dense one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.retrieve.item_item.item_item_sample import (
    Dense,
    common_users,
    cosines_of,
    dense_gram,
    dense_of,
    is_clear,
    matrix_of,
    random_table,
    tables,
)

from homefeed.retrieve.item_item import kernels
from homefeed.retrieve.item_item.gram import Gram, gram_of, strongest
from homefeed.retrieve.item_item.matrix import no_entries


def off_diagonal(gram: Dense) -> Dense:
    return gram * (1 - np.eye(len(gram)))


def check_form(gram: Gram) -> None:
    """Symmetric to the bit, sorted, without a diagonal."""
    shared = dense_of(gram)
    np.testing.assert_array_equal(shared, shared.T)
    assert not shared.diagonal().any()
    assert (gram.shared > 0).all()
    for start, stop in zip(gram.starts, gram.starts[1:], strict=False):
        assert (np.diff(gram.others[start:stop]) > 0).all()
    assert gram.rows.tolist() == np.nonzero(shared)[0].tolist()


@settings(max_examples=50)
@given(table=tables, user_exponent=st.sampled_from([0.0, 0.6, 1.0]), least=st.integers(1, 3))
def test_with_room_for_all_it_is_the_gram_matrix(table: Dense, user_exponent: float, least: int) -> None:
    gram = gram_of(matrix_of(table), user_exponent, 10, least)
    expected = dense_gram(table, user_exponent)
    np.testing.assert_allclose(gram.own, expected.diagonal(), rtol=1e-5)
    np.testing.assert_allclose(dense_of(gram), expected * (common_users(table) >= least), rtol=1e-5)
    check_form(gram)
    assert len(gram) == table.shape[1]


@settings(max_examples=30)
@given(seed=st.integers(0, 1_000), most=st.integers(1, 6), least=st.integers(1, 2))
def test_each_item_keeps_its_nearest_by_cosine_and_those_that_keep_it(seed: int, most: int, least: int) -> None:
    table = random_table(seed, users=12, items=10)
    everything = dense_gram(table, 0.5)
    cosine = cosines_of(everything) * (common_users(table) >= least)
    assume(is_clear(cosine, most))
    kept = np.zeros(cosine.shape, np.bool_)
    for item, row in enumerate(cosine):
        nearest = np.argsort(-row)[:most]
        kept[item, nearest] = row[nearest] > 0
    gram = gram_of(matrix_of(table), 0.5, most, least)
    np.testing.assert_allclose(dense_of(gram), everything * (kept | kept.T), rtol=1e-5)
    check_form(gram)


def test_of_items_as_near_the_first_are_kept() -> None:
    gram = gram_of(matrix_of(np.ones((2, 6))), 0.6, 2, 1)
    one_way = {0: (1, 2), 1: (0, 2), 2: (0, 1), 3: (0, 1), 4: (0, 1), 5: (0, 1)}
    expected = np.zeros((6, 6))
    for item, others in one_way.items():
        for other in others:
            expected[item, other] = expected[other, item] = 2 * 6**-0.6
    np.testing.assert_allclose(dense_of(gram), expected, rtol=1e-6)


def test_least_users_are_users_and_not_strength() -> None:
    table = np.array([[9, 9, 0], [0, 0.25, 0.25], [0, 0.25, 0.25]])
    gram = gram_of(matrix_of(table), 0.6, 5, 2)
    # One user of great strength joins 0 and 1, two of little 1 and 2.
    assert list(zip(gram.rows.tolist(), gram.others.tolist(), strict=True)) == [(1, 2), (2, 1)]
    assert (gram.own > 0).all()


@pytest.mark.parametrize("most", [2, 10])
def test_blocks_of_items_change_nothing(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = matrix_of(random_table(3, users=15, items=11))
    whole = gram_of(matrix, 0.6, most, 1)
    monkeypatch.setattr(kernels, "_ROWS_AT_ONCE", 4)
    blocks = gram_of(matrix, 0.6, most, 1)
    for name in ("starts", "others", "shared", "own"):
        np.testing.assert_array_equal(getattr(blocks, name), getattr(whole, name))
        assert getattr(blocks, name).dtype == getattr(whole, name).dtype


@pytest.mark.parametrize("shape", [(0, 0), (3, 0), (0, 3), (4, 3)])
def test_the_gram_matrix_of_nothing(shape: tuple[int, int]) -> None:
    gram = gram_of(no_entries(*shape), 0.6, 5, 1)
    assert len(gram) == shape[1]
    assert dense_of(gram).shape == (shape[1], shape[1])
    assert len(gram.others) == 0
    assert not gram.own.any()


def test_the_strongest_are_the_largest_by_size_first_of_equals_and_never_nothing() -> None:
    starts = np.array([0, 4, 4, 7, 9], np.int64)
    weights = np.array([0.5, -2, 1, 2, 1, 1, -1, 0, 3], np.float32)
    assert strongest(starts, weights, 2).tolist() == [False, True, False, True, True, True, False, False, True]
    assert strongest(starts, weights, 9).tolist() == (weights != 0).tolist()


@given(table=tables, most=st.integers(1, 5))
def test_the_strongest_by_brute_force(table: Dense, most: int) -> None:
    signed = matrix_of(table * np.where(np.indices(table.shape).sum(axis=0) % 2, -1, 1))
    kept = strongest(signed.indptr.astype(np.int64), signed.data, most)
    for start, stop in zip(signed.indptr, signed.indptr[1:], strict=False):
        sizes = np.abs(signed.data[start:stop])
        assert sorted(sizes[kept[start:stop]]) == sorted(sizes)[-most:]
