"""A learned model in the place of a feed's ranker."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.rank.learned_sample import click_model, lambdamart, value

from homefeed.protocols import Ranker
from homefeed.rank.blended import Blended
from homefeed.rank.click_model.model import ClickModelModel
from homefeed.rank.learned import LearnedRanker
from homefeed.rank.schema import Schema
from homefeed.rank.weighted import Weighted
from homefeed.testing import RankerContract, World, planted_requests, toy_world
from homefeed.testing.ranking_requests import FEATURE_NAMES
from homefeed.types import Candidates

CLICKS = ClickModelModel(Schema(("a", "bias", "b"), calibrated=False), np.array([1, 10, 100], np.float32))


OWN_RANKER = Weighted(Weighted.Config(weights={"a": 2.0}), toy_world().resources)
"""A feed's own ranker: twice the first feature."""


def fitted(trainer: Any) -> LearnedRanker:
    return LearnedRanker(trainer.fit(planted_requests()), OWN_RANKER)


class TestLearnedClickModel(RankerContract):
    feature_names = FEATURE_NAMES

    def make(self, world: World) -> Ranker:
        return fitted(click_model())


class TestLearnedLambdamart(RankerContract):
    feature_names = FEATURE_NAMES

    def make(self, world: World) -> Ranker:
        return fitted(lambdamart())


class TestLearnedValue(RankerContract):
    feature_names = FEATURE_NAMES

    def make(self, world: World) -> Ranker:
        return fitted(value())


def candidates(names: tuple[str, ...], *rows: list[float]) -> Candidates:
    features, count = np.array(rows, np.float32), len(rows)
    scores = np.zeros(count, np.float32)
    return Candidates(np.arange(count, dtype=np.int32), (), features[:, :0], names, features, scores)


@pytest.mark.parametrize("names", [("a", "bias", "b"), ("b", "a", "bias")])
def test_features_are_told_by_their_names(names: tuple[str, ...]) -> None:
    of = {"a": 2.0, "bias": 1.0, "b": 3.0}
    asked = candidates(names, [of[name] for name in names])
    ranker, query = LearnedRanker(CLICKS, OWN_RANKER), toy_world().query("da")
    assert ranker.score(query, asked).tolist() == [312]
    added = {"a": 2.0, "bias": 10.0, "b": 300.0}
    assert ranker.contributions(query, asked).tolist() == [[added[name] for name in names]]


def test_what_a_model_takes_of_the_own_score_is_divided_as_the_own_ranker_does() -> None:
    model = ClickModelModel(
        Schema(("a", "bias", "b", "own"), calibrated=False), np.array([1, 10, 100, 0.5], np.float32)
    )
    asked = candidates(("a", "bias", "b", "own"), [2, 1, 3, 4])
    ranker, query = LearnedRanker(model, OWN_RANKER), toy_world().query("da")
    assert ranker.score(query, asked).tolist() == [314]
    # Half of the own score, 4, is of the first feature.
    assert ranker.contributions(query, asked).tolist() == [[2 + 2, 10, 300, 0]]


def test_an_own_ranker_that_divides_scores_divides_its_own() -> None:
    """What candidates of a page have is the score by the model: `blended` must not take it for its own."""
    signals = {"all": {"weight": 1.0, "of": {"a": 1.0, "b": 3.0}}}
    blended = Blended(Blended.Config.model_validate({"signals": signals}), toy_world().resources)
    model = ClickModelModel(
        Schema(("a", "bias", "b", "own"), calibrated=False), np.array([0, 10, 0, 2], np.float32)
    )
    asked = candidates(("a", "bias", "b", "own"), [1, 1, 1, 0.8], [1, 1, 0, 0.4])
    ranker, query = LearnedRanker(model, blended), toy_world().query("da")
    ranked = replace(asked, scores=ranker.score(query, asked))
    assert ranked.scores.tolist() == pytest.approx([11.6, 10.8])
    # Twice the own score of 0.8, a quarter of it of the first feature; and twice that of 0.4, all of it.
    first, second = ranker.contributions(query, ranked).tolist()
    assert first == pytest.approx([0.4, 10, 1.2, 0])
    assert second == pytest.approx([0.8, 10, 0, 0])


def test_a_model_of_values_tells_how_likely_events_are() -> None:
    query = toy_world().query("da")
    asked = candidates(FEATURE_NAMES, [0.9, 0.9, 0.5, 1], [0.1, 0.1, 0.5, 1])
    likely = fitted(value()).probabilities(query, asked)
    assert set(likely) == {"click", "hide"}
    assert likely["click"][0] > likely["click"][1]
    assert LearnedRanker(CLICKS, OWN_RANKER).probabilities(query, candidates(("a", "bias", "b"), [1, 1, 1])) == {}


@pytest.mark.parametrize("trainer", [click_model, lambdamart, value])
@pytest.mark.parametrize("wrong", [np.inf, -np.inf, np.nan])
def test_what_is_no_number_counts_as_0_as_it_does_where_a_ranker_learns(trainer: Any, wrong: float) -> None:
    ranker, query = fitted(trainer()), toy_world().query("da")
    asked, zero = (candidates(FEATURE_NAMES, [0.9, each, 0.5, 1]) for each in (wrong, 0.0))
    assert ranker.score(query, asked).tolist() == ranker.score(query, zero).tolist()
    np.testing.assert_array_equal(ranker.contributions(query, asked), ranker.contributions(query, zero))
