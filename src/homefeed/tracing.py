"""Tells of one item why it is, or is not, where it is in the answer to a request."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from homefeed.explain import FeatureTrace, FilterTrace, RerankerTrace, RetrieverTrace, Trace
from homefeed.funnel import Feed, Ranked, filter_again, filter_late, give_reasons, propensities, rank
from homefeed.protocols import FilterExplainer
from homefeed.rank.learned import LearnedRanker
from homefeed.types import Candidates, Positions, Query, Scores


def explain(feed: Feed, query: Query, position: int) -> Trace:
    """The trace of the item at `position` in the answer to the query."""
    ranked = rank(feed, query)
    candidates = filter_late(ranked, filter_again(ranked))
    row = int(np.argmax(candidates.positions == position)) if position in candidates.positions else None
    filters = _filter_traces(ranked, position)
    dropped = next((drop for drop in candidates.dropped if position in drop.positions), None)
    dropped_by = None if dropped is None else f"{dropped.by}: {dropped.reason(position)}"
    failed = dict(ranked.failed)
    features: tuple[FeatureTrace, ...] = ()
    score = reason = propensity = None
    if row is not None:
        item = candidates.take(slice(row, row + 1))
        features = _features(ranked, item)
        reason = _reason(ranked, candidates.take(slice(row - row % max(query.n, 1), row + 1)), failed)
        score, propensity = float(item.scores[0]), float(propensities(item)[0])
    place = None if row is None else row + 1
    return Trace(
        feed=feed.name,
        made_by=ranked.feed.name,
        cold_start=ranked.cold_start,
        verdict=_verdict(place, query.n, filters, dropped_by),
        place=place,
        candidates=len(candidates),
        score=score,
        propensity=propensity,
        reason=reason,
        filters=filters,
        retrievers=tuple(_retriever_trace(name, found, position) for name, found in ranked.proposals.items()),
        features=features,
        rerankers=_reranker_traces(ranked, position),
        dropped_by=dropped_by,
        failed=tuple(f"{name}: {error}" for name, error in failed.items()),
        seconds=dict(query.scope.seconds),
        ranked_by=ranked.feed.ranked_by,
        why_not_learned=ranked.feed.why_not_learned,
        probabilities={} if row is None else _probabilities(ranked, candidates.take(slice(row, row + 1))),
    )


def _probabilities(ranked: Ranked, item: Candidates) -> dict[str, float]:
    """How likely each event is, where the ranker goes by that."""
    ranker = ranked.feed.ranker
    if not isinstance(ranker, LearnedRanker):
        return {}
    return {name: float(likely[0]) for name, likely in ranker.probabilities(ranked.query, item).items()}


def _features(ranked: Ranked, item: Candidates) -> tuple[FeatureTrace, ...]:
    contributions = ranked.feed.ranker.contributions(ranked.query, item)
    return tuple(
        FeatureTrace(name, float(value), float(added))
        for name, value, added in zip(item.feature_names, item.features[0], contributions[0], strict=True)
    )


def _reason(ranked: Ranked, page: Candidates, failed: dict[str, str]) -> str:
    """The reason of the last of a page: it can depend on what the items before name."""
    contributions = ranked.feed.ranker.contributions(ranked.query, page)
    return give_reasons(ranked, ranked.query, page, contributions, failed)[-1]


def _filter_traces(ranked: Ranked, position: int) -> tuple[FilterTrace, ...]:
    """What each filter says; of an item that the user may not know of, only isolation says anything."""
    names = list(ranked.passed)
    if ranked.feed.isolation is not None and not ranked.passed["isolation"][position]:
        names = ["isolation"]
    return tuple(_filter_trace(ranked, name, position) for name in names)


def _filter_trace(ranked: Ranked, name: str, position: int) -> FilterTrace:
    part = ranked.feed.filters[name]
    if ranked.passed[name][position]:
        return FilterTrace(name, True, None)
    why = part.why(ranked.query, position) if isinstance(part, FilterExplainer) else None
    return FilterTrace(name, False, why)


def _reranker_traces(ranked: Ranked, position: int) -> tuple[RerankerTrace, ...]:
    """The place of an item before and after each reranker."""
    places = [(name, _place(order, position)) for name, order in ranked.stages.items()]
    return tuple(RerankerTrace(name, before, after) for (_, before), (name, after) in pairwise(places))


def _place(order: Positions, position: int) -> int | None:
    rows = np.flatnonzero(order == position)
    return int(rows[0]) + 1 if len(rows) else None


def _retriever_trace(name: str, found: tuple[Positions, Scores], position: int) -> RetrieverTrace:
    positions, scores = found
    place = _place(positions, position)
    score = None if place is None else float(scores[place - 1])
    return RetrieverTrace(name, score, place, len(positions))


def _verdict(place: int | None, n: int, filters: tuple[FilterTrace, ...], dropped_by: str | None) -> str:
    stopped = [f"{each.name} ({each.why})" if each.why else each.name for each in filters if not each.passed]
    if stopped:
        return f"Not shown: stopped by {' and '.join(stopped)}"
    if dropped_by is not None:
        return f"Not shown: taken out by {dropped_by}"
    if place is None:
        return "Not shown: no retriever proposed it"
    return f"Not among the first {n}: place {place}" if place > n else f"Shown at place {place}"
