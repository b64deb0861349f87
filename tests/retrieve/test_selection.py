"""The best k of many, held against sorting all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.retrieve.selection import best_of, best_rows, block_length, key_of, kth_largest, top_k
from homefeed.types import NO_POSITIONS

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


@given(
    size=sizes,
    more=sizes,
    k=counts,
    seed=seeds,
    levels=st.sampled_from([1, 40, 1_000_000]),
    share=st.sampled_from([0.0, 0.01, 0.5, 1.0]),
)
def test_a_mask_leaves_out_what_is_not_eligible(
    size: int, more: int, k: int, seed: int, levels: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    scores = (rng.integers(0, levels + 1, size) / levels).astype(np.float32)
    eligible = rng.random(size + more) < share
    expected = top_k(scores * eligible[:size], k)
    assert top_k(scores, k, eligible).tolist() == expected.tolist()


@given(size=sizes, k=counts, seed=seeds, above=st.sampled_from([0.0, 0.25, 1.0]), labelled=st.booleans())
def test_rows_above_a_bound_come_with_their_scores_and_labels(
    size: int, k: int, seed: int, above: float, labelled: bool
) -> None:
    rng = np.random.default_rng(seed)
    scores = (rng.integers(0, 5, size) / 4).astype(np.float32)
    eligible, labels = rng.random(size) < 0.8, rng.permutation(size).astype(np.int32)
    rows = [row for row in np.argsort(-scores, kind="stable").tolist() if scores[row] > above and eligible[row]][
        :k
    ]
    found = best_rows(scores, k, eligible, above, labels if labelled else NO_POSITIONS)
    assert found[0].tolist() == [labels[row] if labelled else row for row in rows]
    assert found[0].dtype == np.int32
    assert found[1].tolist() == scores[rows].tolist()


@given(size=st.sampled_from([0, 1, 7, 400]), k=st.sampled_from([0, 1, 6, 7, 500]), seed=seeds)
def test_the_largest_keys_are_those_of_the_highest_scores(size: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.choice(np.array([1e-38, 0.5, 0.75, 3e38], np.float32), size)
    places, labels = np.arange(size), rng.permutation(size).astype(np.int32)
    keys = [key_of(bits, place) for bits, place in zip(scores.view(np.int32), places.tolist(), strict=True)]
    found, of_found = best_of(np.array(keys, np.uint64)[rng.permutation(size)], labels, k)
    order = np.lexsort((places, -scores))[:k]
    assert found.tolist() == labels[order].tolist()
    assert of_found.tolist() == scores[order].tolist()


@given(seed=seeds, size=st.integers(1, 300), levels=st.sampled_from([1, 3, 1_000]))
def test_the_kth_largest_is_that_of_a_sorted_copy(seed: int, size: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(-levels, levels, size, np.int32)
    k = int(rng.integers(1, size + 1))
    assert kth_largest(values.copy(), k) == np.sort(values)[-k]


@pytest.mark.parametrize(
    ("count", "k", "length"), [(100, 1, 32), (31, 1, 0), (100_000, 100, 128), (10_000, 300, 16)]
)
def test_blocks_are_more_than_twice_as_many_as_wanted(count: int, k: int, length: int) -> None:
    assert block_length(count, k) == length
