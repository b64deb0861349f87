"""LambdaMART: what decides is found, and a model of it keeps to its seams."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from tests.rank.learned_sample import lambdamart

from homefeed.errors import ArtifactError, HomefeedError
from homefeed.protocols import RankingModel
from homefeed.rank.lambdamart.model import LambdamartModel
from homefeed.testing import RankingModelContract, RankingTrainerContract, World, planted_requests


class TestLambdamartModel(RankingModelContract):
    def make(self, world: World) -> RankingModel:
        return lambdamart().fit(planted_requests())


class TestLambdamartTrainer(RankingTrainerContract):
    def make(self) -> Any:
        return lambdamart()


def test_what_decides_ranks_first() -> None:
    model = lambdamart(60).fit(planted_requests(150))
    rows = np.array([[0.95, 0.2, 0.2, 1], [0.5, 0.9, 0.9, 1], [0.1, 0.9, 0.9, 1]], np.float32)
    scores = model.scores(rows)
    assert scores[0] == scores.max()
    later = planted_requests(50, seed=1)
    scores = model.scores(later.features).reshape(50, 20)
    deciding = later.features[:, 0].reshape(50, 20)
    first = np.take_along_axis(deciding, scores.argmax(axis=1)[:, None], axis=1)
    assert first.mean() > 0.9, "20 candidates, so the best has about 20 / 21"
    spread = np.abs(model.contributions(later.features)).mean(axis=0)
    assert spread[:3].argmax() == 0


def test_of_requests_without_a_choice_there_is_nothing_to_learn() -> None:
    data = planted_requests(20)
    # The choices of the later fifth alone would leave nothing to grow trees from.
    late = data.chosen & (np.arange(len(data.chosen)) >= data.starts[16])
    with pytest.raises(HomefeedError, match="too few requests to learn to rank from: "):
        lambdamart().fit(replace(data, chosen=late))


def test_trees_of_other_features_are_refused(tmp_path: Path) -> None:
    model = lambdamart(3).fit(planted_requests())
    model.save(tmp_path)
    schema = orjson.loads((tmp_path / "schema.json").read_bytes())
    for names in (["bias"], [*schema["feature_names"], "more"]):
        (tmp_path / "schema.json").write_bytes(orjson.dumps(schema | {"feature_names": names}))
        with pytest.raises(ArtifactError, match=f"expected trees of {len(names)} features"):
            LambdamartModel.load(tmp_path)
    (tmp_path / "schema.json").write_bytes(orjson.dumps(schema | {"more": 1}))
    with pytest.raises(ArtifactError, match=r"expected nothing else in schema\.json"):
        LambdamartModel.load(tmp_path)
