"""Ranks by a model that was trained on earlier requests, in the place of a feed's own ranker or on top of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from homefeed.protocols import ProbabilityModel, Ranker, RankingModel
from homefeed.types import OWN, Candidates, Floats, Query, Scores

Columns = npt.NDArray[np.intp]
Doubles = npt.NDArray[np.float64]


class LearnedRanker:
    """The scores of a model, and how it divides each among the features.

    What the model takes of the score by the feed's `own` ranker as it is, that one divides.
    """

    def __init__(self, model: RankingModel, own: Ranker) -> None:
        self.model, self._own = model, own

    def score(self, query: Query, candidates: Candidates) -> Scores:
        """(n,) by the model."""
        if not len(candidates):
            return np.empty(0, np.float32)
        return self.model.scores(self._features(query, candidates))

    def contributions(self, query: Query, candidates: Candidates) -> Floats:
        """(n, features) what each feature added: rows sum to the score."""
        added = np.zeros(candidates.features.shape, np.float32)
        if len(candidates):
            columns = self._columns(query, candidates)
            added[:, columns] = self.model.contributions(self._features(query, candidates))
            self._divide_own(query, candidates, added)
        return added

    def _divide_own(self, query: Query, candidates: Candidates, added: Floats) -> None:
        weight = self.model.own_weight
        if weight and OWN in self.model.feature_names:
            own = candidates.feature_names.index(OWN)
            # Some rankers divide the score that candidates have: it is to be their own, and a column of its own.
            by_own = replace(candidates, scores=candidates.features[:, own].copy())
            divided = weight * self._own.contributions(query, by_own)
            added += divided
            added[:, own] -= divided.sum(axis=1)

    def probabilities(self, query: Query, candidates: Candidates) -> dict[str, Doubles]:
        """By event type, (n,) how likely it is; nothing where the model does not go by that."""
        if not isinstance(self.model, ProbabilityModel):
            return {}
        return self.model.probabilities(self._features(query, candidates))

    def _features(self, query: Query, candidates: Candidates) -> Floats:
        """Those that the model learned from, 0 for what is no number, as it learned."""
        features = candidates.features[:, self._columns(query, candidates)]
        return np.nan_to_num(features, copy=False, nan=0.0, posinf=0.0, neginf=0.0)

    def _columns(self, query: Query, candidates: Candidates) -> Columns:
        names = candidates.feature_names
        return query.scope.once(self, "rank.columns", partial(_columns, self.model.feature_names, names), names)


def _columns(wanted: tuple[str, ...], names: tuple[str, ...]) -> Columns:
    return np.array([names.index(name) for name in wanted], np.intp)
