"""The weighted hybrid: a sum of features, each with its weight."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Floats, Query, Scores


class Weighted:
    """A weighted sum of features.

    score = sum over features of weight x feature: the weighted hybrid of Burke, "Hybrid recommender systems"
    (UMUAI 2002).
    """

    class Config(PartConfig):
        weights: Annotated[dict[str, float], Field(min_length=1)]
        """By feature, its weight. A retriever's name stands for its score divided by the best of the request. A
        feature without a weight does not count."""

    def __init__(self, config: Config, resources: Resources) -> None:  # noqa: ARG002
        self._weights = dict(config.weights)
        self._names: tuple[str, ...] = ()
        self._vector = np.empty(0, np.float32)

    def score(self, query: Query, candidates: Candidates) -> Scores:
        """(n,) the weighted sum."""
        # Not by `@`: OpenBLAS reads beyond matrices of 5 columns, and numpy then warns of values that are none.
        scores: Scores = self.contributions(query, candidates).sum(axis=1)
        return scores

    def contributions(self, query: Query, candidates: Candidates) -> Floats:  # noqa: ARG002
        """(n, features) what each feature added: rows sum to the score."""
        return candidates.features * self._columns(candidates)

    def _columns(self, candidates: Candidates) -> Floats:
        if candidates.feature_names is not self._names:
            weights = [self._weights.get(name, 0.0) for name in candidates.feature_names]
            self._names, self._vector = candidates.feature_names, np.array(weights, np.float32)
        return self._vector
