"""The trace of one item in one request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FilterTrace:
    """A filter and whether the item passed it; `why` not, where the filter explains."""

    name: str
    passed: bool
    why: str | None


@dataclass(frozen=True, slots=True)
class RetrieverTrace:
    """A retriever and, where it proposed the item, its score and the rank (from 1) among its proposals."""

    name: str
    score: float | None
    rank: int | None
    proposals: int


@dataclass(frozen=True, slots=True)
class RerankerTrace:
    """A reranker and the item's place (from 1) before and after it; None where the item was not among them."""

    name: str
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class FeatureTrace:
    """A feature of the item and what it added to the score."""

    name: str
    value: float
    contribution: float


@dataclass(frozen=True, slots=True)
class Trace:
    """Why an item is shown, or not, to a user now.

    `place` counts from 1 among `candidates`, None where the item is not among them; the contributions of the
    features sum to `score`; `propensity` is the probability with which chance put it there; `verdict` is all of
    it in a sentence; `seconds` is how long each stage and part of the request took. `ranked_by` is the part that
    ranks, and `why_not_learned` tells, of a feed that declares a learned ranker, why it is not that one.
    `probabilities` are how likely the events are that a ranker goes by, where it goes by those.
    """

    feed: str
    made_by: str
    cold_start: bool
    verdict: str
    place: int | None
    candidates: int
    score: float | None
    propensity: float | None
    reason: str | None
    filters: tuple[FilterTrace, ...]
    retrievers: tuple[RetrieverTrace, ...]
    features: tuple[FeatureTrace, ...]
    rerankers: tuple[RerankerTrace, ...]
    dropped_by: str | None
    failed: tuple[str, ...]
    seconds: Mapping[str, float]
    ranked_by: str = ""
    why_not_learned: str | None = None
    probabilities: Mapping[str, float] = field(default_factory=dict)
