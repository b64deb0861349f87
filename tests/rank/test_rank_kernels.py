"""The compiled loops of ranking against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.catalog.ragged import CodeRows
from homefeed.rank.kernels import tag_fit, tag_profile, weighted_sums


@pytest.mark.parametrize("width", [0, 1, 5, 7, 8, 9, 15, 16, 31, 128])
def test_sums_are_numpys_to_the_last_bit(width: int) -> None:
    rng = np.random.default_rng(width)
    features = rng.standard_normal((200, width)).astype(np.float32)
    weights = rng.standard_normal(width).astype(np.float32)
    np.testing.assert_array_equal(weighted_sums(features, weights), (features * weights).sum(axis=1))


def test_tags_by_hand() -> None:
    tags = CodeRows.of([[0, 2], [2], []])
    items = np.array([0, 1, 2], np.int32)
    profile = tag_profile(tags.codes, tags.places, items, np.array([1.0, -3.0, 5.0], np.float32), 4)
    assert profile.tolist() == [1.0, 0.0, -2.0, 0.0]
    # Items 0 and 1 have x = (1 - 2) / sqrt(2) and -2 / sqrt(1); item 2 has no tags.
    fits = tag_fit(profile, tags.codes, tags.places, np.array([1, 0, 2], np.int32))
    x = -1 / np.sqrt(2)
    assert fits.shape == (3, 1)
    assert fits[:, 0].tolist() == pytest.approx([-2 / 3, x / (1 - x), 0.0], abs=1e-7)
