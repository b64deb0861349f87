"""The ALS model: on disk, and users' vectors against the paper's equations written out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homefeed.errors import ArtifactError
from homefeed.retrieve.als.model import AlsConfig, AlsModel
from homefeed.retrieve.als.trainer import AlsTrainer
from homefeed.testing import ModelContract, World

ITEMS, FACTORS = 7, 4


class TestAlsModel(ModelContract):
    def make(self, world: World) -> AlsModel:
        return AlsTrainer(AlsConfig(factors=8)).fit(world.data)


def model_of(factors: np.ndarray, regularization: float = 0.5, alpha: float = 2.0) -> AlsModel:
    wide = factors.astype(np.float64)
    gram = wide.T @ wide + regularization * np.eye(factors.shape[1])
    return AlsModel(np.arange(len(factors), dtype=np.int32), factors.astype(np.float32), gram, alpha)


def test_a_vector_of_one_number_by_hand() -> None:
    # Y = (2, 1), lambda = 1, alpha = 3. The user likes item 0 at 1, so c = 4:
    # x = (4 + 1 + (4 - 1) 2 2 + 1)^-1 2 4 = 8 / 18
    model = model_of(np.array([[2.0], [1.0]]), regularization=1, alpha=3)
    assert model.fold_in(np.zeros(1, np.int32), np.ones(1, np.float32)) == pytest.approx(np.array([[8 / 18]]))
    # and dislikes item 1 at 0.5, so its c = 2.5: x = (18 + (2.5 - 1) 1 1)^-1 8
    both = model.fold_in(np.arange(len(model.factors), dtype=np.int32), np.array([1.0, -0.5], np.float32))
    assert both == pytest.approx(np.array([[8 / 19.5, 0.0]]))


tastes = st.lists(
    st.tuples(st.integers(0, ITEMS - 1), st.floats(-3, 3, width=32).filter(bool)),
    max_size=ITEMS,
    unique_by=lambda event: event[0],
)


@given(taste=tastes, seed=st.integers(0, 99), alpha=st.sampled_from([0.1, 1.0, 40.0]))
def test_vectors_and_contributions_are_those_of_the_paper(
    taste: list[tuple[int, float]], seed: int, alpha: float
) -> None:
    y = np.random.default_rng(seed).normal(size=(ITEMS, FACTORS)).astype(np.float32)
    model = model_of(y, alpha=alpha)
    rows = np.array([row for row, _ in taste], np.int32)
    weights = np.array([weight for _, weight in taste], np.float32)
    shares = model.fold_in(rows, weights)

    confidence, preference = np.ones(ITEMS), np.zeros(ITEMS)
    confidence[rows] = 1 + alpha * np.abs(weights)
    preference[rows] = weights > 0
    wide = y.astype(np.float64)
    w = np.linalg.inv(wide.T @ np.diag(confidence) @ wide + 0.5 * np.eye(FACTORS))
    x = w @ wide.T @ np.diag(confidence) @ preference  # equation 4
    np.testing.assert_allclose(shares.sum(axis=1), x, rtol=1e-4, atol=1e-5)

    contributions = wide @ shares  # (items, of the taste)
    for column, row in enumerate(rows.tolist()):
        s = wide @ w @ wide[row]  # equation 7
        np.testing.assert_allclose(
            contributions[:, column], s * confidence[row] * preference[row], rtol=1e-3, atol=1e-5
        )
    np.testing.assert_allclose(contributions.sum(axis=1), wide @ x, rtol=1e-3, atol=1e-4)


def test_what_is_disliked_takes_from_what_is_like_it() -> None:
    model = model_of(np.array([[1.0, 0.0], [1.0, 0.1], [0.9, 0.1], [0.0, 1.0]]))
    liked = model.fold_in(np.array([0, 3], np.int32), np.array([1, 1], np.float32)).sum(axis=1)
    torn = model.fold_in(np.array([0, 3, 1], np.int32), np.array([1, 1, -1], np.float32)).sum(axis=1)
    before, after = model.factors @ liked, model.factors @ torn
    assert after[2] < 0.75 * before[2]
    assert after[3] == pytest.approx(before[3], rel=0.1)


def test_of_nothing_known_the_vector_is_nothing() -> None:
    model = model_of(np.ones((2, 3)))
    assert model.fold_in(np.empty(0, np.int32), np.empty(0, np.float32)).shape == (3, 0)


def test_arrays_are_mapped_not_read(tmp_path: Path) -> None:
    model_of(np.ones((2, 3))).save(tmp_path)
    loaded = AlsModel.load(tmp_path)
    assert not loaded.factors.flags.writeable
    assert isinstance(loaded.factors.base, np.memmap)


def test_a_damaged_model_says_so() -> None:
    model = model_of(np.ones((2, 2)))
    broken = AlsModel(model.numbers, model.factors, -model.gram, model.alpha)
    with pytest.raises(ArtifactError, match="train the model again"):
        broken.fold_in(np.arange(len(model.factors), dtype=np.int32), np.zeros(2, np.float32))


@pytest.mark.parametrize(
    "config", [{"factors": 0}, {"regularization": 0}, {"alpha": -1}, {"alpha": float("nan")}, {"iterations": 0}]
)
def test_settings_that_make_no_sense_are_refused(config: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(config))):
        AlsConfig.model_validate(config)


def test_numbers_that_a_recipe_leaves_out_are_these() -> None:
    expected = {"factors": 64, "regularization": 10.0, "alpha": 5.0, "iterations": 15}
    assert {name: AlsConfig.model_fields[name].default for name in expected} == expected
