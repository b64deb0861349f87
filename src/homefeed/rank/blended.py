"""Several signals blended by the ranks they give, so that none counts more for having larger scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field, FiniteFloat

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Floats, Query, Scores

Doubles = npt.NDArray[np.float64]


class Signal(PartConfig):
    """One of the signals that `Blended` blends: a weighted sum of features."""

    weight: Annotated[FiniteFloat, Field(ge=0)]
    """What the signal adds to the score of its best candidate, the most that it adds to any."""
    of: Annotated[dict[str, Annotated[FiniteFloat, Field(gt=0)]], Field(min_length=1)]
    """By feature, its share of the signal. A retriever's name stands for its score divided by the best of the
    request."""


class Blended:
    """Blends several signals by the ranks they give, so that none counts more for having larger scores: a signal
    adds its weight to its best candidate and a share of it, by rank, to all others that it speaks for.

    score = sum over signals of weight x r: r is the signal's rank, from 1 for its best candidate to 1 / n.

    A signal is s = sum over its features of share x feature. Of the n candidates with s above 0, one that m are
    better than has r = 1 - m / n, so that equals share the best rank; all others have r = 0. That is the rank
    normalisation of Renda & Straccia, "Web metasearch: rank vs. score based rank aggregation methods" (SAC 2003).
    """

    class Config(PartConfig):
        signals: Annotated[dict[str, Signal], Field(min_length=1)]
        """The signals, each by a name of its own."""

        @property
        def named_features(self) -> Mapping[str, str]:
            """The features that the settings name, by the place in them."""
            return {
                f"signals.{signal}.of.{feature}": feature
                for signal, settings in self.signals.items()
                for feature in settings.of
            }

    def __init__(self, config: Config, resources: Resources) -> None:  # noqa: ARG002
        self._signals = tuple(config.signals.values())

    def score(self, query: Query, candidates: Candidates) -> Scores:  # noqa: ARG002
        """(n,) the blend."""
        scores = np.zeros(len(candidates))
        for signal in self._signals:
            scores += signal.weight * _ranks(_strengths(_parts(signal, candidates), len(candidates)))
        return scores.astype(np.float32)

    def contributions(self, query: Query, candidates: Candidates) -> Floats:
        """(n, features) each score split in proportion to weight x share x feature: rows sum to the score.

        Candidates that have been scored keep their scores, for a page cannot tell the ranks among all. So where
        several signals speak for an item, this divides between them by how strong they are, not by rank.
        """
        # Where no candidate has a score above 0, none has a signal, and to score them anew says 0 again.
        scores = candidates.scores if candidates.scores.any() else self.score(query, candidates)
        spoken = np.zeros(candidates.features.shape)
        for signal in self._signals:
            parts = _parts(signal, candidates)
            speaks = _strengths(parts, len(candidates)) > 0
            for column, part in parts.items():
                spoken[:, column] += signal.weight * np.where(speaks, part, 0.0)
        total = spoken.sum(axis=1)
        scale = np.divide(scores, total, out=np.zeros(len(total)), where=total > 0)
        contributions: Floats = (spoken * scale[:, None]).astype(np.float32)
        return contributions


def _parts(signal: Signal, candidates: Candidates) -> dict[int, Doubles]:
    """(n,) share x feature, by the column of the feature; none for a feature that is not there."""
    names = candidates.feature_names
    columns = {names.index(name): share for name, share in signal.of.items() if name in names}
    return {column: share * candidates.features[:, column].astype(np.float64) for column, share in columns.items()}


def _strengths(parts: Mapping[int, Doubles], count: int) -> Doubles:
    """(n,) sums, always in the order of the settings, so that equals stay equal wherever their columns are."""
    return sum(parts.values(), start=np.zeros(count))


def _ranks(strengths: Doubles) -> Doubles:
    """(n,) from 1 for the highest to 1 / those above 0; 0 for what is not above 0."""
    positive = strengths > 0
    rising = np.sort(strengths[positive])
    better = len(rising) - np.searchsorted(rising, strengths, side="right")
    return np.where(positive, 1 - better / max(len(rising), 1), 0.0)
