"""What every model of labelled pairs keeps to, and every trainer of one."""
# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from homefeed.errors import HomefeedError
from homefeed.labelled import LabelledPairs, PairFeature, Values
from homefeed.protocols import Model, PairModel, PairTrainer
from homefeed.testing.model import ModelContract
from homefeed.testing.trainer import saved
from homefeed.testing.world import World

PLANTED: Final[Mapping[str, PairFeature]] = {
    "age": PairFeature(user="age"),
    "year": PairFeature(item="year"),
    "views": PairFeature(item="views", log=True),
}
"""The features of `planted_pairs`."""


def planted_pairs(count: int = 400) -> LabelledPairs:
    """Pairs of which some are chosen: the log-odds are 2 x age - ln(1 + views) + 3, the year has no part in it.

    Ages are around 0, views heavy-tailed, and a tenth of all numbers is not known.
    """
    rng = np.random.default_rng(5)
    values = np.stack(
        [rng.normal(size=count), rng.integers(1990, 2026, count), rng.pareto(1.0, count) * 20], axis=1
    )
    odds = 2 * values[:, 0] - np.log1p(values[:, 2]) + 3
    values[rng.random(values.shape) < 0.1] = np.nan
    return LabelledPairs(tuple(PLANTED), values, rng.random(count) < 1 / (1 + np.exp(-odds)))


class PairModelContract(ModelContract):
    """Subclass it, name the subclass `Test...` and give it a model by `make`; pytest does the rest."""

    def make(self, world: World) -> PairModel:
        """The model under test, fitted to `planted_pairs()`."""
        raise NotImplementedError

    def answers(self, model: Model, world: World) -> Mapping[str, Any]:  # noqa: ARG002
        """What must survive saving and loading."""
        assert isinstance(model, PairModel)
        return {
            "features": model.features,
            "importances": list(model.importances.items()),
            "validation": model.validation,
            "probabilities": model.probabilities(planted_pairs().values),
        }

    @pytest.fixture
    def model(self, world: World) -> PairModel:
        """The model under test."""
        return self.make(world)

    def test_it_is_a_model_of_pairs(self, model: PairModel) -> None:
        """It names the features that it goes by, and what each counts, the most first."""
        assert isinstance(model, PairModel)
        assert dict(model.features) == PLANTED
        assert model.importances.keys() == PLANTED.keys()
        counts = [abs(weight) for weight in model.importances.values()]
        assert counts == sorted(counts, reverse=True)

    def test_probabilities_are_from_0_to_1_whatever_is_known(self, model: PairModel) -> None:
        """One a row, none included; of numbers as large as they come, and of none that is known."""
        extremes: list[Values] = [np.full((1, 3), value) for value in (np.nan, 0.0, -1e300, 1e300)]
        for values in (planted_pairs().values, np.empty((0, 3)), *extremes):
            before = values.copy()
            likely = model.probabilities(values)
            assert likely.shape == (len(values),)
            assert ((likely >= 0) & (likely <= 1)).all(), values
            np.testing.assert_array_equal(values, before)

    def test_a_probability_is_of_its_row_alone(self, model: PairModel) -> None:
        """Asked one by one they are the same."""
        values = planted_pairs(20).values
        alone = [float(model.probabilities(values[row : row + 1])[0]) for row in range(len(values))]
        np.testing.assert_allclose(model.probabilities(values), alone, rtol=1e-12)


class PairTrainerContract:
    """Subclass it, name the subclass `Test...` and give it a trainer by `make`; pytest does the rest."""

    def make(self) -> PairTrainer[Any]:
        """The trainer under test, for the features `PLANTED`."""
        raise NotImplementedError

    def test_it_is_a_trainer_of_models_of_pairs(self) -> None:
        """It has the method of the seam, and its models those of theirs."""
        trainer = self.make()
        assert isinstance(trainer, PairTrainer)
        assert isinstance(trainer.fit(planted_pairs()), PairModel)

    def test_the_same_pairs_give_equal_files(self, tmp_path: Path) -> None:
        """To the byte, whether by one trainer twice or by two; and the pairs are left alone."""
        one, other, pairs = self.make(), self.make(), planted_pairs()
        pairs.values.flags.writeable = pairs.chosen.flags.writeable = False
        expected = saved(one.fit(pairs), tmp_path / "0")
        for count, trainer in enumerate((one, other), start=1):
            assert saved(trainer.fit(pairs), tmp_path / str(count)) == expected

    def test_it_finds_what_is_planted(self) -> None:
        """The age counts most, and the year nothing to speak of; held-out pairs tell that it is good."""
        model = self.make().fit(planted_pairs(4_000))
        assert next(iter(model.importances)) == "age"
        assert abs(model.importances["year"]) < 0.2 * abs(model.importances["views"])
        assert model.validation.roc_auc > 0.8
        assert model.validation.fitted + model.validation.held_out == 4_000

    @pytest.mark.parametrize(
        "name", ["no pair", "one pair", "nothing chosen", "everything chosen", "nothing known"]
    )
    def test_pairs_of_hardly_anything_make_a_model_or_are_refused(self, name: str, tmp_path: Path) -> None:
        """With a reason that can be told, and by no other error."""
        whole = planted_pairs()
        pairs = {
            "no pair": planted_pairs(0),
            "one pair": planted_pairs(1),
            "nothing chosen": replace(whole, chosen=np.zeros_like(whole.chosen)),
            "everything chosen": replace(whole, chosen=np.ones_like(whole.chosen)),
            "nothing known": replace(whole, values=np.full_like(whole.values, np.nan)),
        }[name]
        try:
            model = self.make().fit(pairs)
        except HomefeedError:
            return
        saved(model, tmp_path / "model")
        loaded = type(model).load(tmp_path / "model")
        assert np.isfinite(loaded.probabilities(whole.values)).all()
