"""What every model that ranks keeps to."""
# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from homefeed.protocols import Model, RankingModel
from homefeed.testing.model import ModelContract, is_refused
from homefeed.testing.world import World
from homefeed.types import Floats


class RankingModelContract(ModelContract):
    """Subclass it, name the subclass `Test...` and give it a model by `make`; pytest does the rest."""

    def make(self, world: World) -> RankingModel:
        """The model under test, fitted to `planted_requests()`."""
        raise NotImplementedError

    def rows(self, model: RankingModel) -> Floats:
        """(n, features) what it is asked to score: from 0 to 1, a third of them 0, the bias 1."""
        rng = np.random.default_rng(1)
        features = rng.random((50, len(model.feature_names)), np.float32)
        features[rng.random(features.shape) < 1 / 3] = 0
        features[:, model.feature_names.index("bias")] = 1
        return features

    def answers(self, model: Model, world: World) -> Mapping[str, Any]:  # noqa: ARG002
        """What must survive saving and loading."""
        assert isinstance(model, RankingModel)
        features = self.rows(model)
        return {
            "feature_names": model.feature_names,
            "calibrated": model.calibrated,
            "scores": model.scores(features),
            "contributions": model.contributions(features),
        }

    @pytest.fixture
    def model(self, world: World) -> RankingModel:
        """The model under test."""
        return self.make(world)

    def test_it_is_a_ranking_model(self, model: RankingModel) -> None:
        """It has the methods of the seam, and names each feature once, the bias among them."""
        assert isinstance(model, RankingModel)
        names = model.feature_names
        assert isinstance(names, tuple)
        assert len(set(names)) == len(names)
        assert "bias" in names
        assert isinstance(model.calibrated, bool)

    def test_scores_are_finite_numbers_one_a_row(self, model: RankingModel) -> None:
        """Of any number of rows, none included."""
        every = self.rows(model)
        for features in (every, every[:1], every[:0]):
            scores = model.scores(features)
            assert scores.shape == (len(features),)
            assert scores.dtype == np.float32
            assert np.isfinite(scores).all()

    def test_contributions_sum_to_the_scores(self, model: RankingModel) -> None:
        """A column for each feature; each row adds up to its score."""
        every = self.rows(model)
        for features in (every, every[:1], every[:0]):
            added = model.contributions(features)
            assert added.shape == features.shape
            assert added.dtype == np.float32
            np.testing.assert_allclose(added.sum(axis=1), model.scores(features), atol=1e-4)

    def test_a_score_does_not_depend_on_the_row(self, model: RankingModel) -> None:
        """The same rows in another order have the same scores, and what makes them up is the same."""
        features = self.rows(model)
        order = np.random.default_rng(2).permutation(len(features))
        for ask in (model.scores, model.contributions):
            np.testing.assert_allclose(ask(features[order]), ask(features)[order], atol=1e-5)

    def test_the_same_question_has_the_same_answer(self, model: RankingModel) -> None:
        """Asked again, of rows that refuse to be written to, and laid out by columns."""
        features = self.rows(model)
        scores, added = model.scores(features).copy(), model.contributions(features).copy()
        features.flags.writeable = False
        for again in (features, np.asfortranarray(features)):
            np.testing.assert_allclose(model.scores(again), scores, atol=1e-5)
            np.testing.assert_allclose(model.contributions(again), added, atol=1e-5)

    def test_it_refuses_files_that_are_cut(self, model: RankingModel, tmp_path: Path) -> None:
        """Each of them, by a byte, by half, and whole."""
        model.save(tmp_path)
        for path in sorted(tmp_path.iterdir()):
            whole = path.read_bytes()
            for length in (len(whole) - 1, len(whole) // 2, 0):
                path.write_bytes(whole[:length])
                assert is_refused(type(model), tmp_path), f"{path.name} was loaded, cut to {length} bytes"
            path.write_bytes(whole)
        type(model).load(tmp_path)
