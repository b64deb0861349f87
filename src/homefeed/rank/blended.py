"""Several signals blended by the ranks they give, so that none counts more for having larger scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field, FiniteFloat

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.rank.kernels import blended_ranks, blended_shares
from homefeed.types import Candidates, Floats, Query, Scores

Doubles = npt.NDArray[np.float64]


class Signal(PartConfig):
    """One of the signals that `Blended` blends: a weighted sum of features."""

    weight: Annotated[FiniteFloat, Field(ge=0)]
    """What the signal adds to the score of its best candidate, the most that it adds to any."""
    of: Annotated[dict[str, Annotated[FiniteFloat, Field(gt=0)]], Field(min_length=1)]
    """By feature, its share of the signal. A retriever's name stands for what it says of an item, as in
    `weighted`."""


class Blended:
    """Blends several signals by the ranks they give, so that none counts more for having larger scores: a signal
    adds its weight to its best candidate and a share of it, by rank, to all others that it speaks for.

    score = sum over signals of weight x r: r is the signal's rank, from 1 for its best candidate to 1 / n.

    A signal is s = sum over its features of share x feature. Of the n candidates with s above 0, one that m are
    better than has r = 1 - m / n, so that equals share the best rank; all others have r = 0. That is the rank
    normalisation of Renda & Straccia, "Web metasearch: rank vs. score based rank aggregation methods" (SAC 2003).
    With a `half_rank` h it has r = 1 / (1 + m / h) instead, the reciprocal rank of Cormack, Clarke & Büttcher,
    "Reciprocal rank fusion" (SIGIR 2009): the first of a signal stay first whatever a lesser one says of the rest.
    """

    class Config(PartConfig):
        signals: Annotated[dict[str, Signal], Field(min_length=1)]
        """The signals, each by a name of its own."""
        half_rank: Annotated[FiniteFloat, Field(gt=0)] | None = None
        """How many candidates are better than the one to which a signal adds half of its weight, so that its first
        count far more than its last; none: what it adds falls evenly from the first to the last."""

        @property
        def named_features(self) -> Mapping[str, str]:
            """The features that the settings name, by the place in them."""
            return {
                f"signals.{signal}.of.{feature}": feature
                for signal, settings in self.signals.items()
                for feature in settings.of
            }

    def __init__(self, config: Config, resources: Resources) -> None:  # noqa: ARG002
        self._signals, self._half_rank = tuple(config.signals.values()), config.half_rank or 0.0

    def score(self, query: Query, candidates: Candidates) -> Scores:
        """(n,) the blend."""
        return blended_ranks(candidates.features, *self._table(query, candidates), self._half_rank).astype(
            np.float32
        )

    def contributions(self, query: Query, candidates: Candidates) -> Floats:
        """(n, features) each score split in proportion to weight x share x feature: rows sum to the score.

        Candidates that have been scored keep their scores, for a page cannot tell the ranks among all. So where
        several signals speak for an item, this divides between them by how strong they are, not by rank.
        """
        # Where no candidate has a score above 0, none has a signal, and to score them anew says 0 again.
        scores = candidates.scores if candidates.scores.any() else self.score(query, candidates)
        return blended_shares(candidates.features, scores, *self._table(query, candidates))

    def _table(self, query: Query, candidates: Candidates) -> _Table:
        names = candidates.feature_names
        return query.scope.once(self, "rank.weights", partial(_table_of, self._signals, names), names)


class _Table(NamedTuple):
    """The signals as columns: of each its first entry and its weight; of each entry its feature and its share."""

    starts: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    shares: Doubles
    weights: Doubles


def _table_of(signals: Sequence[Signal], names: tuple[str, ...]) -> _Table:
    """The table for features of these names; entries stand in the order of the settings, whatever that of names.

    A feature that is not there has no entry.
    """
    entries = [
        [(names.index(name), share) for name, share in signal.of.items() if name in names] for signal in signals
    ]
    starts = np.cumsum([0, *map(len, entries)])
    flat = [entry for each in entries for entry in each]
    columns = np.array([column for column, _ in flat], np.int64)
    shares = np.array([share for _, share in flat], np.float64)
    return _Table(starts, columns, shares, np.array([signal.weight for signal in signals], np.float64))
