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
from homefeed.rank.lambdamart.model import LambdamartConfig, LambdamartModel
from homefeed.rank.lambdamart.trainer import LambdamartTrainer
from homefeed.ranking import RankingData, coverage, ndcg, taken
from homefeed.testing import RankingModelContract, RankingTrainerContract, World, planted_requests
from homefeed.types import Floats


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


def with_own(data: RankingData, own: Floats) -> RankingData:
    """The requests with the score by the feed's own ranker, (rows,)."""
    features = np.column_stack([data.features, own]).astype(np.float32)
    return replace(data, feature_names=(*data.feature_names, "own"), features=features)


class TestLambdamartOnTopOfTheOwnRanker(RankingModelContract):
    def make(self, world: World) -> RankingModel:
        data = planted_requests()
        model = lambdamart().fit(with_own(data, 5 * data.features[:, 0]))
        return replace(model, own=0.5)


def test_trees_correct_what_the_own_ranker_gets_wrong() -> None:
    """The own ranker knows nothing of what decides: it is outweighed by what the trees find out."""
    data = planted_requests(150)
    model = lambdamart(60).fit(with_own(data, data.features[:, 2]))
    later = planted_requests(50, seed=1)
    later = with_own(later, later.features[:, 2])
    assert ndcg(later, model.scores(later.features), 10) > 1.2 * ndcg(later, later.features[:, 2], 10)


def test_a_good_own_ranker_is_left_as_it_is() -> None:
    """Its score is what decides: the trees must not make the order worse."""
    data = planted_requests(150)
    model = lambdamart(60).fit(with_own(data, data.features[:, 0]))
    later = planted_requests(50, seed=1)
    own = later.features[:, 0]
    later = with_own(later, own)
    assert ndcg(later, model.scores(later.features), 10) > 0.97 * ndcg(later, own, 10)


def test_lists_keep_nearly_as_many_different_items_as_the_own_ranker_shows() -> None:
    """What decides is the same for an item in every request: by that alone all lists would be the same."""
    rng = np.random.default_rng(3)
    data = planted_requests(200, 60)
    worth = np.tile(rng.random(60).astype(np.float32), 200)
    features = np.column_stack([worth, *rng.random((2, len(worth)), np.float32), np.ones(len(worth))])
    chosen = rng.random(len(worth)) < worth**4 / 4
    data = replace(
        data, features=features.astype(np.float32), chosen=chosen, outcomes=np.column_stack([chosen] * 2)
    )
    own = (rng.random(len(worth)) + worth / 4).astype(np.float32)
    lists = with_own(data, own)
    free = lambdamart(60).fit(data)
    model = lambdamart(60).fit(lists)
    assert coverage(data, free.scores(data.features), 10) < 0.7 * coverage(data, own, 10)
    assert coverage(lists, model.scores(lists.features), 10) >= 0.95 * coverage(data, own, 10)
    assert ndcg(lists, model.scores(lists.features), 10) > ndcg(lists, own, 10)


@pytest.mark.parametrize("own", [-1.0, "1", 1e12])
def test_a_damaged_weight_of_the_own_score_is_refused(tmp_path: Path, own: object) -> None:
    lambdamart(3).fit(planted_requests()).save(tmp_path)
    schema = orjson.loads((tmp_path / "schema.json").read_bytes())
    (tmp_path / "schema.json").write_bytes(orjson.dumps(schema | {"own": own}))
    with pytest.raises(ArtifactError, match="the feed's own ranker counts"):
        LambdamartModel.load(tmp_path)


def test_a_model_of_an_earlier_version_takes_nothing_of_the_own_score(tmp_path: Path) -> None:
    lambdamart(3).fit(planted_requests()).save(tmp_path)
    schema = orjson.loads((tmp_path / "schema.json").read_bytes())
    del schema["own"]
    (tmp_path / "schema.json").write_bytes(orjson.dumps(schema))
    assert LambdamartModel.load(tmp_path).own_weight == 0


def test_of_more_requests_than_it_takes_the_latest_are_learned_from() -> None:
    data = planted_requests(60)
    trainer = LambdamartTrainer(LambdamartConfig(trees=5, min_weight=0.1, requests=40))
    latest = taken(data, np.arange(20, 60))
    assert trainer.fit(data).trees.ubj == lambdamart(5).fit(latest).trees.ubj
