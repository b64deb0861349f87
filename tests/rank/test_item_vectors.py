"""The vectors of items: cosines by hand and against numpy, and rows without one."""

from __future__ import annotations

import numpy as np
import pytest

from homefeed.rank.vectors import cosines
from homefeed.types import Floats


def rows(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int32)


def vectors(*lines: tuple[float, ...]) -> Floats:
    return np.array(lines, np.float32)


def test_cosines_by_hand() -> None:
    trained, later = vectors((2, 0), (0, 3), (-1, 0)), vectors((5, 5))
    found = cosines(trained, later, rows(0, 1, 2, 3), rows(0, 3))
    half = 0.5**0.5
    assert found[:, 0] == pytest.approx([1, half, -half, 1])
    assert found[:, 1] == pytest.approx([(1 + half) / 2, half / 2, (-1 - half) / 2, (1 + half) / 2])


def test_what_has_no_vector_is_left_out() -> None:
    trained, later = vectors((2, 0), (0, 0), (1e30, 1e30)), np.zeros((0, 2), np.float32)
    # Rows of zeros, and such whose squares leave the range of a float, count as none.
    assert cosines(trained, later, rows(-1, 1, 2, 0), rows(-1, 0, 1, 2)).tolist() == [[0, 0]] * 3 + [[1, 1]]
    assert cosines(trained, later, rows(0), rows(-1, 1, 2)).tolist() == [[0, 0]]
    assert cosines(trained, later, rows(0), rows()).tolist() == [[0, 0]]
    assert cosines(trained, later, rows(), rows(0)).shape == (0, 2)


@pytest.mark.parametrize("dimensions", [1, 3, 64, 129])
def test_they_are_numpys(dimensions: int) -> None:
    rng = np.random.default_rng(dimensions)
    trained, later = (rng.standard_normal((count, dimensions)).astype(np.float32) for count in (40, 9))
    every = np.concatenate([trained, later]).astype(np.float64)
    every /= np.linalg.norm(every, axis=1, keepdims=True)
    wanted, others = rng.permutation(49).astype(np.int32), rows(3, 41, 17)
    expected = every[wanted] @ every[others].T
    found = cosines(trained, later, wanted, others)
    np.testing.assert_allclose(found, np.stack([expected.max(axis=1), expected.mean(axis=1)], 1), atol=1e-6)
