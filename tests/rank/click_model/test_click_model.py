"""The click model: the coefficients are those that were planted, in the features' own units."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from tests.rank.learned_sample import click_model

from homefeed.errors import ArtifactError, HomefeedError
from homefeed.protocols import RankingModel
from homefeed.rank.click_model.model import ClickModelModel
from homefeed.rank.schema import Schema
from homefeed.testing import RankingModelContract, RankingTrainerContract, World, planted_requests


class TestClickModelModel(RankingModelContract):
    def make(self, world: World) -> RankingModel:
        return click_model().fit(planted_requests())


class TestClickModelTrainer(RankingTrainerContract):
    def make(self) -> Any:
        return click_model()


def test_scores_are_the_log_odds_by_hand() -> None:
    schema = Schema(("a", "b", "bias"), calibrated=False)
    model = ClickModelModel(schema, np.array([2, -1, 0.5], np.float32))
    rows = np.array([[1, 1, 1], [0, 3, 1]], np.float32)
    assert model.scores(rows).tolist() == [1.5, -2.5]
    assert model.contributions(rows).tolist() == [[2, -1, 0.5], [0, -3, 0.5]]


def test_planted_coefficients_are_found() -> None:
    # Of 40,000 candidates; the log-odds of a click are 8 x item_item - 6.
    found = dict(zip(("item_item", "content", "popular", "bias"), _fitted(2_000), strict=True))
    assert found["item_item"] == pytest.approx(8, abs=0.3)
    assert found["bias"] == pytest.approx(-6, abs=0.3)
    assert abs(found["content"]) < 0.2
    assert abs(found["popular"]) < 0.2


def test_coefficients_are_in_the_units_of_the_features() -> None:
    data = planted_requests()
    scale = np.array([1, 1_000, 0.001, 1], np.float32)
    found = click_model().fit(replace(data, features=data.features * scale)).coefficients * scale
    assert found.tolist() == pytest.approx(_fitted(60), abs=1e-3)


@pytest.mark.parametrize("constant", [0.0, 0.1, 0.3, 1.0, 12_345.6])
def test_what_is_the_same_everywhere_is_worth_nothing(constant: float) -> None:
    data = planted_requests(61, 17)  # a mean that is not exact
    features = data.features.copy()
    features[:, 2] = constant
    coefficients = click_model().fit(replace(data, features=features)).coefficients
    assert coefficients[2] == 0
    assert coefficients[0] > 3


def test_weights_count_as_so_many_candidates() -> None:
    data = planted_requests()
    rows = np.concatenate([np.arange(len(data.chosen)), np.flatnonzero(data.chosen)])
    twice = replace(
        data,
        features=data.features[rows],
        chosen=data.chosen[rows],
        weights=data.weights[rows],
        outcomes=data.outcomes[rows],
        starts=np.array([0, len(rows)]),
    )
    weighed = replace(data, weights=np.where(data.chosen, 2, 1).astype(np.float32))
    found = click_model().fit(weighed).coefficients.tolist()
    # The spread of a feature, by which coefficients are drawn to 0, does not go by weights.
    assert found == pytest.approx(click_model().fit(twice).coefficients.tolist(), rel=0.05, abs=0.05)


@pytest.mark.parametrize("chosen", [False, True])
def test_all_alike_is_nothing_to_learn_from(chosen: bool) -> None:
    data = planted_requests()
    with pytest.raises(HomefeedError, match="nothing to learn clicks from: expected candidates that were chosen"):
        click_model().fit(replace(data, chosen=np.full_like(data.chosen, chosen)))


@pytest.mark.parametrize(
    "schema",
    [
        {"feature_names": ["a", "bias"], "calibrated": True, "more": 1},
        {"feature_names": ["a", "b", "bias"], "calibrated": True},
    ],
)
def test_what_is_not_one_is_refused(tmp_path: Path, schema: dict[str, Any]) -> None:
    model = ClickModelModel(Schema(("a", "bias"), calibrated=True), np.ones(2, np.float32))
    model.save(tmp_path)
    (tmp_path / "schema.json").write_bytes(orjson.dumps(schema))
    with pytest.raises(ArtifactError):
        ClickModelModel.load(tmp_path)


def _fitted(count: int) -> list[float]:
    found: list[float] = click_model().fit(planted_requests(count)).coefficients.tolist()
    return found
