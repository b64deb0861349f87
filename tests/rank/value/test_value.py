"""The value model: probabilities are those that were planted; what events are worth is the recipe's to say."""

from __future__ import annotations

from dataclasses import replace
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from tests.rank.learned_sample import value

from homefeed.errors import ArtifactError, HomefeedError
from homefeed.protocols import ConfiguredModel, PartConfig, RankingModel
from homefeed.rank.schema import Schema
from homefeed.rank.value.model import Classifier, ValueConfig, ValueModel
from homefeed.testing import RankingModelContract, RankingTrainerContract, World, planted_requests
from homefeed.testing.ranking_requests import planted_probabilities

FLAT = {"click": Classifier(None, 0.0, 0.0), "hide": Classifier(None, 0.0, -2.0)}


class TestValueModel(RankingModelContract):
    def make(self, world: World) -> RankingModel:
        return value().fit(planted_requests())


class TestValueModelOfAnEventThatNeverHappened(RankingModelContract):
    def make(self, world: World) -> RankingModel:
        data = planted_requests()
        return value().fit(replace(data, outcomes=data.outcomes & np.array([True, False])))


class TestValueTrainer(RankingTrainerContract):
    def make(self) -> Any:
        return value()


def flat(**values: float) -> ValueModel:
    return ValueModel(Schema(("a", "bias"), calibrated=True), FLAT, values)


def test_the_score_is_the_worth_of_what_is_likely_by_hand() -> None:
    rows = np.array([[0.3, 1], [0.9, 1]], np.float32)
    model = flat(click=4.0, hide=-10.0)
    hidden = 1 / (1 + exp(2))
    assert model.probabilities(rows)["click"].tolist() == [0.5, 0.5]
    assert model.scores(rows).tolist() == pytest.approx([2 - 10 * hidden] * 2)
    # Without trees all of it is the same for every candidate.
    assert model.contributions(rows).tolist() == [pytest.approx([0, 2 - 10 * hidden])] * 2


def test_what_adds_nothing_in_all_but_something_in_each_part_is_still_divided() -> None:
    class Level:
        """Trees of which two features cancel out."""

        def margins(self, features: Any) -> Any:
            return features[:, 0] - features[:, 1]

        def contributions(self, features: Any, bias: int) -> Any:
            return features * np.array([1, -1, 0], np.float32)

    trees: Any = Level()
    classifier = Classifier(trees, 2.0, 0.0)
    model = ValueModel(Schema(("a", "b", "bias"), calibrated=True), {"click": classifier}, {"click": 1.0})
    added = model.contributions(np.array([[0.5, 0.5, 1], [1, 0, 1]], np.float32))
    # At p = 0.5 a step of log-odds is worth p (1 - p) = 0.25; a and b are one step each.
    assert added[0].tolist() == pytest.approx([0.25, -0.25, 0.5])
    assert added[1].tolist() == pytest.approx([1 / (1 + exp(-2)) - 0.5, 0, 0.5])


def test_planted_probabilities_are_found() -> None:
    model = value(100).fit(planted_requests(1_000))
    later = planted_requests(50, seed=1)
    found = model.probabilities(later.features)
    planted = planted_probabilities(later.features)
    for column, name in enumerate(("click", "hide")):
        away = np.abs(found[name] - planted[:, column])
        assert away.mean() < 0.05, name
        assert found[name].mean() == pytest.approx(planted[:, column].mean(), abs=0.05)


def test_other_values_order_anew_without_training() -> None:
    model = value(60).fit(planted_requests(300))
    both = np.array([[0.9, 0.9, 0.5, 1], [0.6, 0.1, 0.5, 1]], np.float32)  # likely clicked and hidden, or neither
    assert isinstance(model, ConfiguredModel)
    clicks = model.configured(ValueConfig(values={"click": 1.0}))
    peace = model.configured(ValueConfig(values={"click": 1.0, "hide": -10.0}))
    assert clicks.scores(both).argmax() == 0
    assert peace.scores(both).argmax() == 1
    assert (clicks.classifiers, peace.classifiers) == (model.classifiers, model.classifiers)


def test_it_says_what_it_has_not_learned() -> None:
    model = flat(click=1.0)
    assert model.misconfigured(ValueConfig(values={"hide": -1.0, "click": 2.0})) is None
    wanted = ValueConfig(values={"click": 1.0, "save": 5.0, "share": 2.0})
    assert model.misconfigured(wanted) == "it has not learned how likely these are: save, share"
    other = PartConfig()
    assert (model.misconfigured(other), model.configured(other)) == (None, model)


def test_an_event_that_there_is_not_is_told() -> None:
    with pytest.raises(HomefeedError, match=r'^values names "save"; the events are: click, hide$'):
        value(save=1.0).fit(planted_requests())


def test_an_event_that_never_happened_is_as_likely_as_half_a_time() -> None:
    data = planted_requests(10, 10)
    model = value().fit(replace(data, outcomes=np.zeros_like(data.outcomes)))
    # Of 100 candidates: 0.5 / 100.5 are the odds.
    assert model.probabilities(data.features)["hide"].tolist() == pytest.approx([0.5 / 101] * 100)


def test_trees_that_say_nothing_of_later_requests_are_left_out() -> None:
    data = planted_requests(100)
    later = np.arange(len(data.chosen)) >= data.starts[80]
    # Who was clicked is not any more, and the other way round.
    turned = np.where(later[:, None], ~data.outcomes, data.outcomes)
    model = value(click=1.0).fit(replace(data, outcomes=turned))
    assert model.classifiers["click"].trees is None
    clicked = turned[later, 0]
    assert model.probabilities(data.features)["click"][0] == pytest.approx(clicked.mean(), abs=0.01)


@pytest.mark.parametrize(
    "harm",
    [
        {"values": {"save": 1.0}},
        {"values": {"click": "much"}},
        {"values": {"click": True}},
        {"values": None},
        {"classifiers": {}},
        {"classifiers": [["click", False, 0.0]]},
        {"classifiers": [["click", False, 0.0, 1_000.0]]},
        {"classifiers": [["click", False, None, 0.0]]},
        {"classifiers": [[3, False, 0.0, 0.0]]},
        {"classifiers": [["click", "yes", 0.0, 0.0]]},
        {"more": 1},
    ],
)
def test_what_is_not_one_is_refused(tmp_path: Path, harm: dict[str, Any]) -> None:
    flat(click=1.0).save(tmp_path)
    path = tmp_path / "value.json"
    told = orjson.loads(path.read_bytes())
    ValueModel.load(tmp_path)
    path.write_bytes(orjson.dumps(told | harm))
    with pytest.raises(ArtifactError, match="the model is damaged"):
        ValueModel.load(tmp_path)
