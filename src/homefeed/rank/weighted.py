"""The weighted hybrid: a sum of features, each with its weight."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.rank.kernels import weighted_sums
from homefeed.types import Candidates, Floats, Query, Scores


class Weighted:
    """A weighted sum of features.

    score = sum over features of weight x feature: the weighted hybrid of Burke, "Hybrid recommender systems"
    (UMUAI 2002).
    """

    class Config(PartConfig):
        weights: Annotated[dict[str, float], Field(min_length=1)]
        """By feature, its weight. A retriever's name stands for what it says of an item: calibrated by training,
        the log-odds that the user chooses it; until then its score divided by the best of the request. A feature
        without a weight does not count."""
        fixed: tuple[str, ...] = ()
        """The features whose weights tuning leaves as they are: those that are policy, not taste."""

        @property
        def named_features(self) -> Mapping[str, str]:
            """The features that the settings name, by the place in them."""
            return {f"weights.{name}": name for name in self.weights} | {
                f"fixed.{name}": name for name in self.fixed
            }

    def __init__(self, config: Config, resources: Resources) -> None:  # noqa: ARG002
        self._weights = dict(config.weights)

    def score(self, query: Query, candidates: Candidates) -> Scores:
        """(n,) the weighted sum."""
        return weighted_sums(candidates.features, self._weights_of(query, candidates))

    def contributions(self, query: Query, candidates: Candidates) -> Floats:
        """(n, features) what each feature added: rows sum to the score."""
        return candidates.features * self._weights_of(query, candidates)

    def _weights_of(self, query: Query, candidates: Candidates) -> Floats:
        names = candidates.feature_names
        return query.scope.once(self, "rank.weights", partial(self._columns, names), names)

    def _columns(self, names: tuple[str, ...]) -> Floats:
        return np.array([self._weights.get(name, 0.0) for name in names], np.float32)
