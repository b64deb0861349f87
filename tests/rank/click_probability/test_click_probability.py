"""Click probabilities: the logistic regression by hand, and what a trainer makes of pairs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from homefeed.errors import ArtifactError, HomefeedError
from homefeed.labelled import LabelledPairs, PairFeature, Validation
from homefeed.protocols import PairModel
from homefeed.rank.click_probability.model import ClickProbabilityConfig, ClickProbabilityModel
from homefeed.rank.click_probability.trainer import ClickProbabilityTrainer
from homefeed.testing import PairModelContract, PairTrainerContract, World, planted_pairs
from homefeed.testing.pair_model import PLANTED


def trainer(**config: Any) -> ClickProbabilityTrainer:
    return ClickProbabilityTrainer(ClickProbabilityConfig(features=dict(PLANTED), **config))


class TestClickProbabilityModel(PairModelContract):
    def make(self, world: World) -> PairModel:
        return trainer().fit(planted_pairs())


class TestClickProbabilityTrainer(PairTrainerContract):
    def make(self) -> ClickProbabilityTrainer:
        return trainer()


BY_HAND = ClickProbabilityModel(
    {"a": PairFeature(user="a"), "b": PairFeature(item="b", log=True)},
    means=np.array([1.0, math.log(10)]),
    spreads=np.array([2.0, 0.5]),
    weights=np.array([0.4, -3.0]),
    intercept=0.5,
    validation=Validation(8, 2, 0.5, 1.0, 1.0, None, 0.5),
)


def test_probabilities_by_hand() -> None:
    values = np.array([[1, 9], [3, 9], [1, math.expm1(math.log(10) + 0.5)], [math.nan, math.nan], [3, -5]])
    odds = [0.5, 0.5 + 0.4, 0.5 - 3, 0.5, 0.9 + 6 * math.log(10)]
    assert BY_HAND.probabilities(values) == pytest.approx([1 / (1 + math.exp(-one)) for one in odds])
    assert list(BY_HAND.importances.items()) == [("b", -3.0), ("a", 0.4)]


def test_planted_weights_are_found_in_the_units_of_the_features() -> None:
    model = trainer().fit(planted_pairs(20_000))
    slopes = dict(zip(model.features, (model.weights / model.spreads).tolist(), strict=True))
    # Flatter than planted: a tenth of the numbers that speak for a choice is not known.
    assert 1.6 < slopes["age"] < 2.0
    assert -1.0 < slopes["views"] < -0.8
    assert abs(slopes["year"]) < 0.01


def test_the_same_share_of_what_was_chosen_is_held_out() -> None:
    chosen = np.arange(100) < 30
    pairs = LabelledPairs(tuple(PLANTED), np.random.default_rng(1).normal(size=(100, 3)), chosen)
    told = trainer().fit(pairs).validation
    assert (told.fitted, told.held_out, told.chosen_share) == (80, 20, 0.3)
    assert trainer(held_out=0.5).fit(pairs).validation.held_out == 50
    one, other = (trainer(seed=seed).fit(pairs).weights.tolist() for seed in (1, 2))
    assert one != other, "another seed holds out others"


def test_measures_are_those_of_what_is_held_out() -> None:
    age = np.repeat([-1.0, 1.0], 50)
    pairs = LabelledPairs(tuple(PLANTED), np.stack([age, age * 0, age * 0], axis=1), age > 0)
    told = trainer().fit(pairs).validation
    assert (told.accuracy, told.roc_auc, told.precision, told.recall) == (1, 1, 1, 1)
    by_lot = replace(pairs, chosen=np.arange(100) % 5 == 0)  # a fifth of both: none is more likely than not
    told = trainer().fit(by_lot).validation
    assert (told.accuracy, told.precision, told.recall) == (0.8, None, 0)


@pytest.mark.parametrize("constant", [0.0, 0.1, 12_345.6, math.nan])
def test_what_is_the_same_everywhere_is_worth_nothing(constant: float) -> None:
    pairs = planted_pairs(997)
    pairs.values[:, 1] = constant
    model = trainer().fit(pairs)
    assert model.importances["year"] == 0
    assert model.importances["age"] > 1


def test_too_few_are_refused() -> None:
    pairs = planted_pairs(60)
    few = replace(pairs, chosen=np.arange(60) < 9)
    with pytest.raises(
        HomefeedError, match="9 that were chosen and 51 that were not; expected at least 10 of each"
    ):
        trainer().fit(few)
    assert trainer().fit(replace(pairs, chosen=np.arange(60) < 10)).validation.held_out == 12


HARMS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no features": lambda told: told | {"features": {}},
    "another feature": lambda told: told | {"features": told["features"] | {"c": {"user": "c"}}},
    "a feature of nothing": lambda told: told | {"features": {"a": {}, "b": {}}},
    "no intercept": lambda told: {name: value for name, value in told.items() if name != "intercept"},
    "something else": lambda told: told | {"more": 1},
    "half a validation": lambda told: told | {"validation": {"fitted": 1}},
}


@pytest.mark.parametrize("harm", HARMS)
def test_what_is_not_one_is_refused(tmp_path: Path, harm: str) -> None:
    BY_HAND.save(tmp_path)
    file = tmp_path / "model.json"
    file.write_bytes(orjson.dumps(HARMS[harm](orjson.loads(file.read_bytes()))))
    with pytest.raises(ArtifactError):
        ClickProbabilityModel.load(tmp_path)


def test_a_spread_of_nothing_is_refused(tmp_path: Path) -> None:
    replace(BY_HAND, spreads=np.array([1.0, 0.0])).save(tmp_path)
    with pytest.raises(ArtifactError, match="spreads above 0"):
        ClickProbabilityModel.load(tmp_path)
