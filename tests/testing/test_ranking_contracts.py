"""The suites of what learns to rank find what they are there to find: each broken part fails a test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import pytest
from tests.rank.learned_sample import click_model

from homefeed.errors import ArtifactError
from homefeed.protocols import RankingModel
from homefeed.rank.click_model.model import ClickModelModel
from homefeed.ranking import RankingData
from homefeed.testing import RankingModelContract, RankingTrainerContract, planted_requests
from homefeed.testing.ranking_requests import planted_probabilities
from homefeed.types import Floats, Scores

Answer = Callable[[Any], Any]


def plain(answer: Any) -> Any:
    return answer


@dataclass(frozen=True)
class Bent:
    """The click model, with its answers bent."""

    model: ClickModelModel
    score: Answer = plain
    contribution: Answer = plain
    feature_names: tuple[str, ...] = ("item_item", "content", "popular", "bias")
    calibrated: bool = True
    own_weight: float = 0.0

    def scores(self, features: Floats) -> Scores:
        return cast(Scores, self.score(self.model.scores(features)))

    def contributions(self, features: Floats) -> Floats:
        return cast(Floats, self.contribution(self.model.contributions(features)))

    def save(self, folder: Path) -> None:
        self.model.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        try:
            return cls(ClickModelModel.load(folder))
        except ArtifactError:
            return cls(ClickModelModel(click_model().fit(planted_requests()).schema, np.zeros(4, np.float32)))


def bent(**bends: Any) -> RankingModel:
    return Bent(click_model().fit(planted_requests()), **bends)


SUITE = RankingModelContract()


def test_a_straight_one_passes() -> None:
    for test in (
        SUITE.test_it_is_a_ranking_model,
        SUITE.test_scores_are_finite_numbers_one_a_row,
        SUITE.test_contributions_sum_to_the_scores,
        SUITE.test_a_score_does_not_depend_on_the_row,
        SUITE.test_the_same_question_has_the_same_answer,
    ):
        test(bent())


@pytest.mark.parametrize(
    "bend",
    [
        lambda scores: scores.astype(np.float64),
        lambda scores: scores[:, None],
        lambda scores: np.where(scores == scores.max(initial=0), np.nan, scores).astype(np.float32),
        lambda scores: scores[:1],
    ],
    ids=["float64", "a column", "not a number", "one"],
)
def test_scores_that_are_bent_are_noticed(bend: Answer) -> None:
    with pytest.raises(AssertionError):
        SUITE.test_scores_are_finite_numbers_one_a_row(bent(score=bend))


@pytest.mark.parametrize(
    "bend",
    [lambda added: added[:, :-1], lambda added: added * np.float32(1.01), lambda added: added.astype(np.float64)],
    ids=["without the bias", "more", "float64"],
)
def test_contributions_that_are_bent_are_noticed(bend: Answer) -> None:
    with pytest.raises(AssertionError):
        SUITE.test_contributions_sum_to_the_scores(bent(contribution=bend))


@pytest.mark.parametrize("names", [("a", "a", "bias", "b"), ("a", "b", "c", "d"), ["a", "b", "c", "bias"]])
def test_names_that_are_none_are_noticed(names: Any) -> None:
    with pytest.raises(AssertionError):
        SUITE.test_it_is_a_ranking_model(bent(feature_names=names))


def test_a_model_that_goes_by_the_row_is_noticed() -> None:
    with pytest.raises(AssertionError):
        SUITE.test_a_score_does_not_depend_on_the_row(bent(score=lambda scores: scores + np.arange(len(scores))))


def test_a_model_that_answers_by_its_mood_is_noticed() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(AssertionError):
        SUITE.test_the_same_question_has_the_same_answer(bent(score=lambda scores: scores + rng.random()))


def test_a_model_that_loads_what_is_cut_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="was loaded, cut to"):
        SUITE.test_it_refuses_files_that_are_cut(bent(), tmp_path)


class _Trainer(RankingTrainerContract):
    def __init__(self, fit: Callable[[RankingData], RankingModel]) -> None:
        self.fit = fit

    def make(self) -> Any:
        return self


def test_a_trainer_that_writes_to_its_data_is_noticed() -> None:
    def scribbling(data: RankingData) -> RankingModel:
        data.weights[:] = 0
        return click_model().fit(data)

    with pytest.raises(ValueError, match="read-only"):
        _Trainer(scribbling).test_it_leaves_its_data_alone()


def test_a_trainer_that_draws_by_chance_is_noticed(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)

    def drawing(data: RankingData) -> RankingModel:
        fitted = click_model().fit(data)
        return ClickModelModel(fitted.schema, fitted.coefficients + np.float32(rng.random()))

    with pytest.raises(AssertionError):
        _Trainer(drawing).test_the_same_data_and_seed_give_equal_files(tmp_path)


def test_a_trainer_that_fails_of_hardly_anything_is_noticed(tmp_path: Path) -> None:
    def counting(data: RankingData) -> RankingModel:
        assert data.starts[1]
        return click_model().fit(data)

    with pytest.raises(IndexError):
        _Trainer(counting).test_data_of_hardly_anything_makes_a_model_or_is_refused("no request", tmp_path)


def test_planted_requests_are_as_they_say() -> None:
    data = planted_requests(2_000)
    assert (len(data), len(data.features), data.features[:, 3].tolist()) == (2_000, 40_000, [1.0] * 40_000)
    np.testing.assert_array_equal(data.chosen, data.outcomes[:, 0])
    likely = planted_probabilities(np.array([[0.75, 0.6, 0, 1], [0.75, 0.5, 0, 1]], np.float32))
    assert likely.tolist() == [pytest.approx([0.5, 0.4]), pytest.approx([0.5, 0.1])]
    near = np.abs(data.features[:, 0] - 0.75) < 0.05
    assert data.chosen[near].mean() == pytest.approx(0.5, abs=0.03)
    assert data.outcomes[data.features[:, 1] > 0.5, 1].mean() == pytest.approx(0.4, abs=0.02)
