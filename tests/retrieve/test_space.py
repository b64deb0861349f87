"""Vectors in blocks of neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.retrieve.space import in_blocks


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 16, 17, 100, 20_000])
def test_every_row_has_a_place(size: int) -> None:
    vectors = np.random.default_rng(size).normal(size=(size, 3)).astype(np.float32)
    order = in_blocks(vectors, 8)
    assert order.dtype == np.int32
    assert sorted(order.tolist()) == list(range(size))


def test_what_lies_together_stands_together() -> None:
    rng = np.random.default_rng(1)
    centres = 100 * rng.permutation(16)
    rows = rng.permutation(np.repeat(np.arange(16), 8))
    vectors = np.stack([rng.normal(size=128), centres[rows] + rng.normal(size=128)], axis=1).astype(np.float32)
    blocks = rows[in_blocks(vectors, 8)].reshape(16, 8)
    assert [len(set(block)) for block in blocks.tolist()] == [1] * 16


def test_blocks_are_as_small_in_every_dimension_as_the_vectors_allow() -> None:
    vectors = np.random.default_rng(2).random((4_096, 2)).astype(np.float32)
    blocks = vectors[in_blocks(vectors, 64)].reshape(64, 64, 2)
    sides = np.ptp(blocks, axis=1)
    assert sides.max() < 0.2
    assert sides.mean() < 0.14
