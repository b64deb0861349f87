"""The suites of models of labelled pairs find what they are there to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import numpy.typing as npt
import pytest

from homefeed.labelled import LabelledPairs, Values
from homefeed.rank.click_probability.model import ClickProbabilityConfig, ClickProbabilityModel
from homefeed.rank.click_probability.trainer import ClickProbabilityTrainer
from homefeed.testing import PairModelContract, PairTrainerContract, planted_pairs
from homefeed.testing.pair_model import PLANTED

TRAINER = ClickProbabilityTrainer(ClickProbabilityConfig(features=dict(PLANTED)))


@dataclass(frozen=True)
class Bent:
    """A model with its answers bent."""

    model: ClickProbabilityModel
    bend: Callable[[npt.NDArray[np.float64], Values], Any] = lambda likely, _: likely

    def probabilities(self, values: Values) -> npt.NDArray[np.float64]:
        return cast("npt.NDArray[np.float64]", self.bend(self.model.probabilities(values), values))

    @property
    def features(self) -> Any:
        return self.model.features

    @property
    def importances(self) -> Any:
        return dict(reversed(self.model.importances.items()))

    @property
    def validation(self) -> Any:
        return self.model.validation

    def save(self, folder: Path) -> None:
        self.model.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(ClickProbabilityModel.load(folder))


def bent(bend: Callable[[Any, Values], Any]) -> Bent:
    return Bent(TRAINER.fit(planted_pairs()), bend)


def _scribble(likely: Any, values: Values) -> Any:
    values[:] = 0
    return likely


@pytest.mark.parametrize(
    "bend",
    [
        lambda likely, _: likely * 2,
        lambda likely, _: likely[:-1],
        lambda likely, values: np.where(np.isnan(values).all(axis=1), np.nan, likely),
        _scribble,
    ],
)
def test_probabilities_that_are_none_are_noticed(bend: Callable[[Any, Values], Any]) -> None:
    with pytest.raises(AssertionError):
        PairModelContract().test_probabilities_are_from_0_to_1_whatever_is_known(bent(bend))


def test_probabilities_that_go_by_other_rows_are_noticed() -> None:
    with pytest.raises(AssertionError):
        PairModelContract().test_a_probability_is_of_its_row_alone(bent(lambda likely, _: likely / likely.max()))


def test_importances_in_no_order_are_noticed() -> None:
    with pytest.raises(AssertionError):
        PairModelContract().test_it_is_a_model_of_pairs(bent(lambda likely, _: likely))


class Forgetful:
    """A trainer whose models come to nothing, or with a seed that is never the same."""

    def __init__(self, by_lot: bool = False) -> None:
        self._by_lot, self._fits = by_lot, 0

    def fit(self, pairs: LabelledPairs) -> ClickProbabilityModel:
        self._fits += 1
        config = ClickProbabilityConfig(features=dict(PLANTED), seed=self._fits)
        model = ClickProbabilityTrainer(config).fit(pairs)
        return model if self._by_lot else replace(model, weights=np.array([0.0, 1, 0]))


class ForgetfulSuite(PairTrainerContract):
    """The suite of such a trainer: it is not collected, for its name does not begin with Test."""

    def __init__(self, trainer: Forgetful) -> None:
        self._trainer = trainer

    def make(self) -> Forgetful:
        return self._trainer


def test_a_trainer_that_finds_nothing_is_noticed() -> None:
    with pytest.raises(AssertionError):
        ForgetfulSuite(Forgetful()).test_it_finds_what_is_planted()


def test_a_trainer_that_finds_something_else_each_time_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        ForgetfulSuite(Forgetful(by_lot=True)).test_the_same_pairs_give_equal_files(tmp_path)
