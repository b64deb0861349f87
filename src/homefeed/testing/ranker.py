"""What every ranker keeps to."""
# ruff: noqa: S101 - a suite asserts

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from homefeed.protocols import Ranker
from homefeed.testing.world import World, toy_world
from homefeed.types import Candidates, Query


class RankerContract:
    """Subclass it, name the subclass `Test...` and give it a ranker by `make`; pytest does the rest."""

    feature_names: tuple[str, ...] = ("item_item", "content", "trending", "fresh", "popular")
    """The features its candidates come with, the retrievers' first; override for a ranker of others."""

    def make(self, world: World) -> Ranker:
        """The ranker under test, built with `world.resources`."""
        raise NotImplementedError

    def candidates(self, world: World, seed: int = 0) -> Candidates:
        """Candidates with features from 0 to 1, a third of them 0: as if every retriever had passed some over."""
        count, width = world.catalog.size, len(self.feature_names)
        rng = np.random.default_rng(seed)
        features = rng.random((count, width), np.float32)
        features[rng.random((count, width)) < 1 / 3] = 0
        return Candidates(
            positions=np.arange(count, dtype=np.int32),
            retrievers=self.feature_names,
            retriever_scores=np.where(features > 0, features, np.float32(np.nan)),
            feature_names=self.feature_names,
            features=features,
            scores=np.zeros(count, np.float32),
        )

    @pytest.fixture
    def world(self) -> World:
        """A toy world of the test's own."""
        return toy_world()

    @pytest.fixture
    def ranker(self, world: World) -> Ranker:
        """The ranker under test."""
        return self.make(world)

    @pytest.fixture
    def query(self, world: World) -> Query:
        """Who asks."""
        return world.query("da")

    def test_it_is_a_ranker(self, ranker: Ranker) -> None:
        """It has the methods of the seam."""
        assert isinstance(ranker, Ranker)

    def test_scores_are_finite_numbers_one_a_candidate(self, world: World, ranker: Ranker, query: Query) -> None:
        """Of any number of candidates, none included."""
        every = self.candidates(world)
        for candidates in (every, every.take(slice(1)), every.take(slice(0))):
            scores = ranker.score(query, candidates)
            assert scores.shape == (len(candidates),)
            assert scores.dtype == np.float32
            assert np.isfinite(scores).all()

    def test_contributions_sum_to_the_scores(self, world: World, ranker: Ranker, query: Query) -> None:
        """A column for each feature; each row adds up to its score."""
        for seed in range(5):
            candidates = self.candidates(world, seed)
            contributions = ranker.contributions(query, candidates)
            assert contributions.shape == candidates.features.shape
            np.testing.assert_allclose(contributions.sum(axis=1), ranker.score(query, candidates), atol=1e-4)
        nothing = self.candidates(world).take(slice(0))
        assert ranker.contributions(query, nothing).shape == (0, len(self.feature_names))

    def test_a_score_does_not_depend_on_the_row(self, world: World, ranker: Ranker, query: Query) -> None:
        """The same candidates in another order have the same scores."""
        candidates = self.candidates(world)
        order = np.random.default_rng(1).permutation(len(candidates))
        shuffled = ranker.score(query, candidates.take(order))
        np.testing.assert_allclose(shuffled, ranker.score(query, candidates)[order], atol=1e-5)

    def test_the_same_question_has_the_same_answer(self, world: World, ranker: Ranker, query: Query) -> None:
        """Asked again, and with candidates that refuse to be written to."""
        candidates = self.candidates(world)
        first = ranker.score(query, candidates).copy()
        for column in (candidates.positions, candidates.retriever_scores, candidates.features, candidates.scores):
            column.flags.writeable = False
        np.testing.assert_array_equal(ranker.score(query, candidates), first)
        ranker.contributions(query, candidates)

    def test_feature_names_may_change_between_requests(self, world: World, ranker: Ranker, query: Query) -> None:
        """Columns are told by name, not by place."""
        candidates = self.candidates(world)
        swapped = replace(
            candidates,
            feature_names=self.feature_names[::-1],
            features=np.ascontiguousarray(candidates.features[:, ::-1]),
        )
        expected = ranker.score(query, candidates)
        np.testing.assert_allclose(ranker.score(query, swapped), expected, atol=1e-5)
