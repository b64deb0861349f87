"""Vectors in cells, held against comparing all: what is looked into is exact, conditions leave no page short."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homefeed.errors import ArtifactError
from homefeed.retrieve.als.model import AlsModel
from homefeed.retrieve.cells import CellIndex, CellModel, Cells
from homefeed.retrieve.lightgcn.model import LightgcnModel
from homefeed.types import Floats


def in_cells(rng: np.random.Generator, size: int, count: int, probes: int) -> tuple[Floats, Cells]:
    """Vectors of whole numbers, whose products are exact, about the centers of their cells."""
    centers = rng.integers(-9, 10, (count, 4)).astype(np.float32)
    cell_of = np.sort(rng.integers(0, count, size))
    vectors = (centers[cell_of] + rng.integers(-1, 2, (size, 4))).astype(np.float32)
    vectors = vectors[np.lexsort((-np.linalg.norm(vectors, axis=1), cell_of))]
    return vectors, Cells(centers, np.searchsorted(cell_of, np.arange(count + 1)), probes)


@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from([0, 1, 300]),
    count=st.sampled_from([1, 7, 40]),
    k=st.sampled_from([1, 10, 500]),
    share=st.sampled_from([1.0, 0.3, 0.02]),
)
@settings(max_examples=60)
def test_all_cells_give_the_best_by_comparing_all(seed: int, size: int, count: int, k: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    vectors, cells = in_cells(rng, size, count, count)
    positions = np.where(rng.random(size) < 0.9, rng.permutation(size + 9)[:size], -1).astype(np.int32)
    eligible, vector = rng.random(size + 9) < share, rng.integers(-3, 4, 4).astype(np.float32)
    scores = {int(p): float(s) for p, s in zip(positions, vectors @ vector, strict=True) if p >= 0}
    expected = sorted((-s, p) for p, s in scores.items() if s > 0 and eligible[p] and p != 3)[:k]
    best, of_best = CellIndex(vectors, positions, cells).best(vector, eligible, k, without=3)
    assert list(zip((-of_best).tolist(), best.tolist(), strict=True)) == expected


@given(seed=st.integers(0, 2**32 - 1), eligible_rows=st.integers(1, 30))
def test_one_cell_and_a_condition_leave_no_page_short(seed: int, eligible_rows: int) -> None:
    rng = np.random.default_rng(seed)
    vectors, cells = in_cells(rng, 400, 20, 1)
    vectors = np.abs(vectors) + 1
    cell_of = np.repeat(np.arange(20), np.diff(cells.starts))
    vectors = vectors[np.lexsort((-np.linalg.norm(vectors, axis=1), cell_of))]
    cells = Cells(np.abs(cells.centers), cells.starts, 1)
    eligible = np.zeros(400, np.bool_)
    eligible[rng.permutation(400)[:eligible_rows]] = True
    index = CellIndex(vectors, np.arange(400, dtype=np.int32), cells)
    best, _ = index.best(np.ones(4, np.float32), eligible, 30)
    assert sorted(best.tolist()) == np.flatnonzero(eligible).tolist()


def test_only_the_most_promising_cells_are_looked_into(monkeypatch: pytest.MonkeyPatch) -> None:
    centers = np.array([[1, 0], [0, 1]], np.float32)
    vectors = np.array([[1, 0], [1, 0], [9, 9]], np.float32)  # the last one is best, and in the other cell
    monkeypatch.setattr("homefeed.retrieve.cells._FIRST", 1)
    cells = Cells(centers, np.array([0, 2, 3]), 1)
    index = CellIndex(vectors, np.arange(3, dtype=np.int32), cells)
    best, scores = index.best(np.array([1, 0], np.float32), np.ones(3, np.bool_), 2)
    assert (best.tolist(), scores.tolist()) == ([0, 1], [1.0, 1.0])


@pytest.mark.parametrize(
    ("cells", "what"),
    [
        (Cells(np.ones((2, 3), np.float32), np.array([0, 1, 3]), 1), "centers of shape"),
        (Cells(np.ones((2, 2), np.float32), np.array([0, 1, 2]), 1), "starts rising from 0 to 3"),
        (Cells(np.ones((2, 2), np.float32), np.array([0, 4, 3]), 1), "starts rising"),
        (Cells(np.ones((2, 2), np.float32), np.array([0, 1, 3]), 0), "probes from 1 to 2"),
        (Cells(np.full((2, 2), np.nan, np.float32), np.array([0, 1, 3]), 1), "finite numbers in centers"),
        (Cells(probes=3), "no starts of cells"),
    ],
)
def test_cells_that_are_not_those_of_the_vectors_are_refused(cells: Cells, what: str) -> None:
    with pytest.raises(ArtifactError, match=what):
        cells.check(np.ones((3, 2), np.float32))


NUMBERS, TENS = np.arange(4, dtype=np.int32), np.arange(8, dtype=np.float32).reshape(4, 2)
WHICH = np.array([0, 1, 0, 1], np.int32)


@pytest.mark.parametrize(
    ("model", "by_item"),
    [
        (AlsModel(NUMBERS, TENS, np.eye(4)[:, :2], 5.0, ["a", "b"], WHICH), ("numbers", "factors", "partition")),
        (
            LightgcnModel(NUMBERS, TENS, -TENS, TENS[:, 0] + 1, ["a", "b"], WHICH),
            ("numbers", "vectors", "passed", "degrees", "partition"),
        ),
    ],
    ids=["als", "lightgcn"],
)
def test_each_item_takes_what_is_its_own_along(model: CellModel, by_item: tuple[str, ...]) -> None:
    cells, rows = Cells(np.eye(2, dtype=np.float32), np.array([0, 2, 4]), 1), np.array([2, 0, 3, 1], np.int32)
    moved = model.in_cells(rows, cells)
    for name in by_item:
        np.testing.assert_array_equal(getattr(moved, name), getattr(model, name)[rows], err_msg=name)
    assert (len(moved.cells), moved.cells.probes) == (2, 1)
    assert not model.cells
