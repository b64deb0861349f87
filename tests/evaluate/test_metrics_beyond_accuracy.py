"""Figures beyond accuracy, on lists worked out by hand and against their formulas."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.errors import InvalidError
from homefeed.evaluate.metrics import (
    PerItem,
    PerItemVectors,
    coverage,
    gini,
    intra_list_diversity,
    novelty,
    share_of_users,
)
from homefeed.types import Mask, Positions

ALL_FOUR: Mask = np.ones(4, np.bool_)


def _list(*items: int) -> Positions:
    return np.array(items, dtype=np.int32)


def test_gini_by_hand() -> None:
    ranked = [_list(0, 1), _list(0, 2), _list(0)]
    # Shown 0, 1, 1 and 3 times: (-3 * 0 - 1 * 1 + 1 * 1 + 3 * 3) / (5 * 3).
    assert gini(ranked, ALL_FOUR, 2) == pytest.approx(9 / 15)


def test_gini_is_1_for_one_item_and_0_for_all_equally() -> None:
    assert gini([_list(0, 1), _list(0, 2)], ALL_FOUR, 1) == 1
    assert gini([_list(0, 1), _list(3, 2)], ALL_FOUR, 2) == 0


def test_gini_is_of_the_eligible_only() -> None:
    eligible = np.array([True, True, False, False])
    assert gini([_list(0, 2, 3), _list(1, 2)], eligible, 3) == 0
    assert gini([_list(2, 0), _list(2, 0)], eligible, 2) == 1


def test_gini_of_nothing_shown_and_of_a_single_item_is_0() -> None:
    assert gini([_list(), _list()], ALL_FOUR, 5) == 0
    assert gini([_list(2)], np.array([False, False, True]), 5) == 0


def test_shares_of_users_by_hand() -> None:
    users, items = np.array([0, 0, 1, 1, 5], np.int32), np.array([0, 0, 0, 1, 2], np.int32)
    # Item 0 was had by two of three users, one of them twice; nobody had item 3. One user more had all.
    assert share_of_users(users, items, 4).tolist() == [3 / 4, 2 / 4, 2 / 4, 1 / 4]


def test_an_item_without_users_is_the_most_novel_and_finite() -> None:
    shares = share_of_users(np.empty(0, np.int32), np.empty(0, np.int32), 2)
    assert shares.tolist() == [1, 1]
    assert novelty([_list(0)], shares, 1).tolist() == [0]
    shares = share_of_users(np.arange(7, dtype=np.int32), np.zeros(7, np.int32), 2)
    assert novelty([_list(0), _list(1)], shares, 1).tolist() == [0, 3]


def test_shares_of_items_that_are_not_there_are_refused() -> None:
    with pytest.raises(InvalidError, match="items: expected positions below 3"):
        share_of_users(np.zeros(1, np.int32), np.array([3], np.int32), 3)


def test_novelty_by_hand() -> None:
    shares = np.array([1, 1 / 2, 1 / 4, 1 / 8])
    ranked = [_list(3, 2, 0), _list(0), _list()]
    assert novelty(ranked, shares, 1).tolist() == [3, 0, 0]
    assert novelty(ranked, shares, 2).tolist() == [2.5, 0, 0]
    assert novelty(ranked, shares, 10).tolist() == pytest.approx([5 / 3, 0, 0])
    assert not np.signbit(novelty(ranked, shares, 10)).any()


def test_diversity_by_hand() -> None:
    half = math.sqrt(1 / 2)
    vectors = np.array([[1, 0], [0, 1], [half, half], [0, 0], [-1, 0], [1, 0]], np.float32)
    ranked = [_list(0, 1), _list(0, 5), _list(0, 4), _list(0, 3), _list(0, 1, 2), _list(0), _list()]
    found = intra_list_diversity(ranked, vectors, 3)
    # The three cosines of the fifth list are 0, and twice the root of a half. A single item has no pair.
    assert found.tolist() == pytest.approx([1, 0, 2, 1, 1 - 2 * half / 3, 0, 0], abs=1e-6)
    assert intra_list_diversity(ranked, vectors, 1).tolist() == [0] * 7


def test_vectors_of_zeros_only_are_all_unlike() -> None:
    assert intra_list_diversity([_list(0, 1, 2)], np.zeros((3, 4), np.float32), 3).tolist() == [1]


@pytest.mark.parametrize(
    ("figure", "named"),
    [
        (lambda k: gini([_list(4)], ALL_FOUR, k), "ranked: expected positions below 4"),
        (lambda k: coverage([_list(4)], ALL_FOUR, k), "ranked: expected positions below 4"),
        (lambda k: novelty([_list(4)], np.ones(4), k), "ranked: expected positions below 4"),
        (lambda k: intra_list_diversity([_list(4)], np.eye(4), k), "ranked: expected positions below 4"),
        (lambda k: gini([_list(0)], ~ALL_FOUR, k), "eligible"),
        (lambda k: gini([], ALL_FOUR, k), "at least one case"),
        (lambda k: novelty([], np.ones(4), k), "at least one case"),
        (lambda k: intra_list_diversity([], np.eye(4), k), "at least one case"),
        (lambda k: novelty([_list(0)], np.array([0.0, 1.0]), k), "as by share_of_users"),
        (lambda k: novelty([_list(0)], np.array([3.0, 1.0]), k), "as by share_of_users"),
        (lambda k: novelty([_list(0)], np.array([np.nan, 1.0]), k), "as by share_of_users"),
        (lambda k: intra_list_diversity([_list(0)], 2 * np.eye(4), k), "divide each by its norm"),
        (lambda k: intra_list_diversity([_list(0)], np.full((1, 2), np.nan), k), "divide each by its norm"),
    ],
)
def test_what_has_no_figure_is_refused(figure: Callable[[int], object], named: str) -> None:
    with pytest.raises(InvalidError, match=named):
        figure(3)


def test_ranks_below_one_have_no_figure() -> None:
    figures: list[Callable[[], object]] = [
        lambda: gini([_list(0)], ALL_FOUR, 0),
        lambda: novelty([_list(0)], np.ones(4), 0),
        lambda: intra_list_diversity([_list(0)], np.eye(4), 0),
    ]
    for figure in figures:
        with pytest.raises(InvalidError, match="k: expected 1 or more"):
            figure()


ITEMS = 12
lists = st.lists(st.integers(0, ITEMS - 1), max_size=ITEMS, unique=True).map(lambda found: _list(*found))
some_lists = st.lists(lists, min_size=1, max_size=6)
some_k = st.integers(1, 15)
seeds = st.integers(0, 1_000)


def _unit_vectors(seed: int) -> PerItemVectors:
    vectors = np.random.default_rng(seed).normal(size=(ITEMS, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[::5] = 0
    return vectors


@given(some_lists, some_k)
def test_gini_is_the_mean_difference_of_how_often_two_items_are_shown(ranked: list[Positions], k: int) -> None:
    shown = np.zeros(ITEMS)
    for found in ranked:
        shown[found[:k]] += 1
    differences = [abs(one - other) for one, other in itertools.permutations(shown, 2)]
    expected = np.mean(differences) / (2 * shown.mean()) if shown.any() else 0
    index = gini(ranked, np.ones(ITEMS, np.bool_), k)
    assert index == pytest.approx(expected)
    assert 0 <= index <= 1


@given(some_lists, some_k, seeds)
def test_diversity_is_the_mean_over_all_pairs(ranked: list[Positions], k: int, seed: int) -> None:
    vectors = _unit_vectors(seed)
    expected = [
        np.mean([1 - vectors[one] @ vectors[other] for one, other in itertools.combinations(found[:k], 2)])
        if len(found[:k]) > 1
        else 0
        for found in ranked
    ]
    assert intra_list_diversity(ranked, vectors, k).tolist() == pytest.approx(expected, abs=1e-9)


@given(some_lists, some_k, seeds)
def test_novelty_is_the_mean_over_what_is_shown(ranked: list[Positions], k: int, seed: int) -> None:
    shares: PerItem = np.random.default_rng(seed).uniform(1e-6, 1, ITEMS)
    expected = [np.mean([-math.log2(shares[item]) for item in found[:k]]) if len(found) else 0 for found in ranked]
    assert novelty(ranked, shares, k).tolist() == pytest.approx(expected)
