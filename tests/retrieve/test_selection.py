"""The best k of many, held against sorting all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.retrieve.selection import first_eligible, top_k

sizes = st.sampled_from([0, 1, 5, 255, 256, 257, 600, 5_000])
counts = st.sampled_from([0, 1, 2, 3, 7, 50, 10_000])
seeds = st.integers(0, 2**32 - 1)


@given(
    size=sizes,
    k=counts,
    seed=seeds,
    levels=st.sampled_from([1, 3, 40, 1_000_000]),
    share=st.sampled_from([0.0, 0.01, 0.5, 1.0]),
)
def test_top_k_is_the_head_of_a_full_sort(size: int, k: int, seed: int, levels: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    # Few levels make ties; a share of rows not above 0 makes rows to leave out.
    scores = (rng.integers(1, levels + 1, size) / levels).astype(np.float32)
    scores[rng.random(size) >= share] *= np.float32(rng.choice([0, -1]))
    expected = [row for row in np.argsort(-scores, kind="stable").tolist() if scores[row] > 0][:k]
    assert top_k(scores, k).tolist() == expected


@pytest.mark.parametrize("scores", [[], [0.0], [-1.0, 0.0], [-0.0] * 1_000])
def test_top_k_leaves_out_what_is_not_above_zero(scores: list[float]) -> None:
    assert top_k(np.array(scores, np.float32), 3).shape == (0,)


def test_top_k_finds_the_smallest_score_above_zero() -> None:
    scores = np.zeros(2_000, np.float32)
    scores[1_999] = 1e-38
    assert top_k(scores, 2).tolist() == [1_999]


@given(size=sizes, k=counts, seed=seeds, share=st.sampled_from([0.0, 0.001, 0.1, 1.0]))
def test_first_eligible_is_the_head_of_the_order_filtered(size: int, k: int, seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    order = rng.permutation(size).astype(np.int32)
    eligible = rng.random(size) < share
    found = first_eligible(order, eligible, k)
    assert found.tolist() == order[eligible[order]][:k].tolist()
    assert found.dtype == np.int32


def test_first_eligible_takes_an_order_older_than_the_mask() -> None:
    assert first_eligible(np.array([1, 0], np.int32), np.ones(5, np.bool_), 9).tolist() == [1, 0]
