"""The one request path: filters, retrievers, merge, features, rank, rerank, last gate, cut, reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from itertools import pairwise
from typing import Self

import numpy as np

from homefeed.errors import HomefeedError, InvalidError, NotFoundError
from homefeed.explain import FeatureTrace, FilterTrace, RerankerTrace, RetrieverTrace, Trace, reasons_for
from homefeed.protocols import (
    FeatureExtractor,
    Filter,
    FilterExplainer,
    Ranker,
    Reranker,
    Retriever,
    RetrieverExplainer,
)
from homefeed.types import DAY, Candidates, Dropped, Floats, Mask, Positions, Query, Scores, Slate, UserState

_PASSED_OVER = 64
"""How many more candidates than asked for are looked for, so that rerankers and the last gate have spares."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One surface of an app with its parts built. Filters and retrievers keep the order of the recipe.

    `isolation`, one of the filters, says what the user may know of at all: what it does not pass is not even
    looked at in their history. With `history_days` only what the user did in the last so many days counts.
    One that has `shared_seconds` does not look at who asks: an answer may be given again for as long.
    `explaining` are those of the retrievers that give reasons.
    """

    name: str
    filters: Mapping[str, Filter]
    retrievers: Mapping[str, tuple[Retriever, int]]
    extractors: Mapping[str, FeatureExtractor]
    ranker: Ranker
    rerankers: Mapping[str, Reranker]
    anchored: bool = False
    isolation: Filter | None = None
    cold_start: Self | None = None
    history_days: float | None = None
    shared_seconds: float | None = None
    explaining: Mapping[str, RetrieverExplainer] = field(init=False)

    def __post_init__(self) -> None:
        explaining = {
            name: part for name, (part, _) in self.retrievers.items() if isinstance(part, RetrieverExplainer)
        }
        object.__setattr__(self, "explaining", explaining)


@dataclass(slots=True)
class Work:
    """What was done for one user at one moment, so that feeds that answer together do nothing twice.

    Parts of equal settings are one object in all feeds of an app: what a part said stands here by its identity,
    and by that of what it was asked about, which is `held` for as long.
    """

    users: dict[tuple[int, float], UserState] = field(default_factory=dict)
    masks: dict[tuple[int, ...], Mask] = field(default_factory=dict)
    proposals: dict[tuple[int, ...], tuple[Positions, Scores]] = field(default_factory=dict)
    held: list[Query] = field(default_factory=list)

    def gate(self) -> Work:
        """What to ask the filters again with: of the same users, and nothing known of any mask."""
        return Work(users=self.users)


@dataclass(frozen=True, slots=True)
class Ranked:
    """All candidates of a request, best first, and how they came about.

    `name` is the feed that was asked, `feed` the one that answers; `stages` are the positions in order, once
    ranked and after each reranker.
    """

    name: str
    feed: Feed
    query: Query
    candidates: Candidates
    proposals: Mapping[str, tuple[Positions, Scores]]
    passed: Mapping[str, Mask]
    stages: Mapping[str, Positions]
    cold_start: bool
    failed: dict[str, str] = field(default_factory=dict)


def recommend(feed: Feed, query: Query) -> Slate:
    """Answer a request.

    A retriever or feature extractor that raises narrows the slate and is named in `failed`; a filter, ranker or
    reranker that raises fails the request.
    """
    work = Work()
    return page(rank(feed, query, work), query, work.gate())


def recommend_together(asked: Sequence[tuple[Feed, Query]]) -> list[Slate]:
    """Answer several feeds for one user, moment, anchor and context, as `recommend` answers each."""
    work = Work()
    ranked = [rank(feed, query, work) for feed, query in asked]
    gate = work.gate()
    return [page(each, query, gate) for each, (_, query) in zip(ranked, asked, strict=True)]


def page(ranked: Ranked, query: Query, work: Work | None = None) -> Slate:
    """The first `query.n` of what was ranked, for this or an earlier request, that the filters let pass now.

    Raises:
        NotFoundError: the anchor is none of the user's.
    """
    work = work or Work()
    query = _recent(ranked.feed, query, work)
    query, passed = _filtered(ranked.feed, _isolated(ranked.feed, query), work)
    gated = _gated(ranked, passed)
    shown = gated.take(slice(query.n))
    contributions = ranked.feed.ranker.contributions(query, shown)
    return Slate(
        feed=ranked.name,
        positions=shown.positions,
        scores=shown.scores,
        reasons=_reasons(ranked, query, shown, contributions) if len(shown) else (),
        sources=_sources(shown),
        cold_start=ranked.cold_start,
        feature_names=shown.feature_names,
        features=shown.features,
        propensities=_propensities(shown),
        remaining=len(gated) - len(shown),
        filtered_late=tuple(drop.by for drop in gated.dropped[len(ranked.candidates.dropped) :]),
        failed=ranked.failed,
    )


def explain(feed: Feed, query: Query, position: int) -> Trace:
    """Tell why the item at `position` is, or is not, where it is in the answer to the query."""
    ranked = rank(feed, query)
    gated = _gated(ranked, _filtered(ranked.feed, ranked.query, Work())[1])
    places = np.flatnonzero(gated.positions == position)
    place = int(places[0]) if len(places) else None
    filters = tuple(_filter_trace(ranked, name, position) for name in ranked.passed)
    if feed.isolation is not None and not ranked.passed["isolation"][position]:
        filters = tuple(
            filter_ for filter_ in filters if filter_.name == "isolation"
        )  # no word on what it is like
    dropped = next((d for d in gated.dropped if position in d.positions), None)
    features: tuple[FeatureTrace, ...] = ()
    score = reason = propensity = None
    if place is not None:
        row = gated.take(slice(place, place + 1))
        contributions = ranked.feed.ranker.contributions(ranked.query, row)
        features = tuple(
            FeatureTrace(name, float(value), float(added))
            for name, value, added in zip(row.feature_names, row.features[0], contributions[0], strict=True)
        )
        score, propensity = float(row.scores[0]), float(_propensities(row)[0])
        reason = _reasons(ranked, ranked.query, row, contributions)[0]
    return Trace(
        feed=feed.name,
        made_by=ranked.feed.name,
        cold_start=ranked.cold_start,
        verdict=_verdict(place, query.n, filters, dropped),
        place=None if place is None else place + 1,
        candidates=len(gated),
        score=score,
        propensity=propensity,
        reason=reason,
        filters=filters,
        retrievers=tuple(_retriever_trace(name, found, position) for name, found in ranked.proposals.items()),
        features=features,
        rerankers=_reranker_traces(ranked, position),
        dropped_by=None if dropped is None else f"{dropped.by}: {dropped.why}",
        failed=tuple(f"{name}: {error}" for name, error in ranked.failed.items()),
    )


def rank(feed: Feed, query: Query, work: Work | None = None) -> Ranked:
    """All candidates for the query, ranked and reranked. `work` is what was done for it by other feeds.

    Raises:
        InvalidError: the feed is about an item, and none is named.
        NotFoundError: the anchor is none of the user's.
    """
    if feed.anchored and query.anchor is None:
        raise InvalidError(f"item_id: the feed {feed.name} is about an item; name it")
    work = work or Work()
    name, asked = feed.name, query
    query = _isolated(feed, _recent(feed, query, work))
    cold_start = query.user.is_cold and query.anchor is None
    if cold_start and feed.cold_start is not None:
        feed = feed.cold_start
        query = _isolated(feed, _recent(feed, asked, work))
    query, passed = _filtered(feed, query, work)
    failed: dict[str, str] = {}
    proposals = {}
    for part, (retriever, k) in feed.retrievers.items():
        try:
            proposals[part] = _proposed(retriever, query, max(k, _depth(query.n)), work)
        except HomefeedError:
            raise
        except Exception as error:  # whatever it was, the others can still answer
            failed[part] = f"{type(error).__name__}: {error}"
    candidates = _described(feed, query, _merged(feed, proposals), failed)
    scores = feed.ranker.score(query, candidates)
    # Where scores are equal, as among items that nobody played, the newest of the catalogue come first.
    best_first = np.lexsort((-candidates.positions, -scores))
    candidates = replace(candidates, scores=scores).take(best_first)
    stages = {feed.name: candidates.positions}
    for part, reranker in feed.rerankers.items():
        candidates = reranker.rerank(query, candidates)
        stages[part] = candidates.positions
    return Ranked(name, feed, query, candidates, proposals, passed, stages, cold_start, failed)


def slim(ranked: Ranked, most: int) -> Ranked:
    """What later pages need of it: the first `most` candidates, and no masks of the whole catalogue."""
    nothing = np.empty(0, np.bool_)
    query = replace(ranked.query, eligible=nothing, explainable=nothing)
    candidates = replace(ranked.candidates.take(slice(most)), dropped=())
    return replace(ranked, query=query, candidates=candidates, proposals={}, passed={}, stages={})


def _recent(feed: Feed, query: Query, work: Work) -> Query:
    """The query by what its user did lately, as far back as the feed looks."""
    if feed.history_days is None:
        return query
    key = (id(query.user), feed.history_days)
    if key not in work.users:
        work.users[key] = query.user.since(query.now - int(feed.history_days * DAY))
        work.held.append(query)
    return replace(query, user=work.users[key])


def _isolated(feed: Feed, query: Query) -> Query:
    """The query without anything that the user may not know of: not even reasons may tell of it."""
    if feed.isolation is None:
        return query
    visible = feed.isolation.filter(query)
    if query.anchor is not None and not visible[query.anchor]:
        raise NotFoundError(f"item_id: no such item in {query.app}")
    history = query.user.history
    if not visible[history.items].all():
        query = replace(query, user=replace(query.user, history=history.take(visible[history.items])))
    if not visible[query.exclude].all() or not visible[query.recently_shown].all():
        exclude, recently_shown = (
            positions[visible[positions]] for positions in (query.exclude, query.recently_shown)
        )
        query = replace(query, exclude=exclude, recently_shown=recently_shown)
    return query


def _filtered(feed: Feed, query: Query, work: Work) -> tuple[Query, dict[str, Mask]]:
    """The query with what its user may see, and what of that each filter passes."""
    whose = _whose(query)
    work.held.append(query)

    def once(key: tuple[int, ...], compute: Callable[[], Mask]) -> Mask:
        if key not in work.masks:
            work.masks[key] = compute()
        return work.masks[key]

    passed = {
        name: once((*whose, id(filter_)), partial(filter_.filter, query)) for name, filter_ in feed.filters.items()
    }
    every = tuple(sorted(map(id, feed.filters.values())))
    eligible = once((*whose, *every, -1), lambda: reduce(np.logical_and, passed.values()))
    guards = [
        passed[name] for name, filter_ in feed.filters.items() if getattr(filter_, "restricts_explanations", False)
    ]
    all_of_them = np.ones(len(passed["availability"]), np.bool_)
    explainable = once((*whose, *every, -2), lambda: reduce(np.logical_and, guards, all_of_them))
    return replace(query, eligible=eligible, explainable=explainable), passed


def _whose(query: Query) -> tuple[int, ...]:
    """What masks and proposals depend on besides the part: feeds asked together differ in nothing else."""
    return id(query.user), id(query.conditions), id(query.exclude)


def _proposed(retriever: Retriever, query: Query, k: int, work: Work) -> tuple[Positions, Scores]:
    key = (*_whose(query), id(query.eligible), id(retriever), k)
    if key not in work.proposals:
        work.proposals[key] = retriever.retrieve(query, k)
    return work.proposals[key]


def _depth(n: int) -> int:
    """How many each retriever is asked for at least: of one depth for pages of like length.

    An item scores by who proposed it, so a page begins with a shorter one only if both were looked for as deep.
    """
    return 1 << (n + _PASSED_OVER - 1).bit_length()


def _merged(feed: Feed, proposals: Mapping[str, tuple[Positions, Scores]]) -> Candidates:
    """The union of all proposals; the retrievers' scores side by side."""
    names = tuple(feed.retrievers)
    every = [positions for positions, _ in proposals.values()]
    positions = np.unique(np.concatenate(every)) if every else np.empty(0, np.int32)
    retrieved = np.full((len(positions), len(names)), np.nan, np.float32)
    for column, name in enumerate(names):
        if name in proposals:
            found, scores = proposals[name]
            retrieved[np.searchsorted(positions, found), column] = scores
    empty = np.empty((len(positions), 0), np.float32)
    return Candidates(positions, names, retrieved, (), empty, np.zeros(len(positions), np.float32))


def _described(feed: Feed, query: Query, candidates: Candidates, failed: dict[str, str]) -> Candidates:
    """With features: each retriever's score divided by its best, 0 where it proposed nothing; the extractors'."""
    names = list(candidates.retrievers)
    blocks: list[Floats] = [_normalised(candidates.retriever_scores)]
    for name, extractor in feed.extractors.items():
        try:
            block = extractor.extract(query, candidates)
        except Exception as error:  # a missing feature costs quality, not the answer
            failed[name] = f"{type(error).__name__}: {error}"
            block = np.zeros((len(candidates), len(extractor.names)), np.float32)
        names += extractor.names
        blocks.append(block)
    return replace(candidates, feature_names=tuple(names), features=np.concatenate(blocks, axis=1))


def _normalised(retriever_scores: Floats) -> Floats:
    scores = np.where(np.isnan(retriever_scores), np.float32(0), retriever_scores)
    best = scores.max(axis=0, initial=0)
    return (scores / np.where(best > 0, best, 1)).astype(np.float32)


def _gated(ranked: Ranked, passed: Mapping[str, Mask]) -> Candidates:
    """The last gate: every filter has been asked again, now that it is known what is about to be shown."""
    candidates = ranked.candidates
    for name, mask in passed.items():
        passes = mask[candidates.positions]
        if not passes.all():
            gone = Dropped(name, candidates.positions[~passes], "stopped at the last gate")
            candidates = replace(candidates.take(passes), dropped=(*candidates.dropped, gone))
    return candidates


def _sources(shown: Candidates) -> tuple[tuple[str, ...], ...]:
    """The retrievers that proposed each: of thousands of items, few sets of retrievers."""
    proposed = ~np.isnan(shown.retriever_scores)
    rows = [row.tobytes() for row in proposed]
    names = {
        row: tuple(name for name, is_source in zip(shown.retrievers, row, strict=True) if is_source)
        for row in set(rows)
    }
    return tuple(names[row] for row in rows)


def _propensities(candidates: Candidates) -> Floats:
    return np.ones(len(candidates), np.float32) if candidates.propensities is None else candidates.propensities


def _reasons(ranked: Ranked, query: Query, shown: Candidates, contributions: Floats) -> tuple[str, ...]:
    otherwise = f"From the list {ranked.feed.name}"
    return reasons_for(query, shown, contributions, ranked.feed.explaining, otherwise, ranked.failed)


def _filter_trace(ranked: Ranked, name: str, position: int) -> FilterTrace:
    filter_ = ranked.feed.filters[name]
    if ranked.passed[name][position]:
        return FilterTrace(name, True)
    return FilterTrace(
        name, False, filter_.why(ranked.query, position) if isinstance(filter_, FilterExplainer) else None
    )


def _reranker_traces(ranked: Ranked, position: int) -> tuple[RerankerTrace, ...]:
    """The place of an item before and after each reranker."""
    places = [(name, _place(order, position)) for name, order in ranked.stages.items()]
    return tuple(RerankerTrace(name, before, after) for (_, before), (name, after) in pairwise(places))


def _place(order: Positions, position: int) -> int | None:
    rows = np.flatnonzero(order == position)
    return int(rows[0]) + 1 if len(rows) else None


def _retriever_trace(name: str, found: tuple[Positions, Scores], position: int) -> RetrieverTrace:
    positions, scores = found
    rows = np.flatnonzero(positions == position)
    if not len(rows):
        return RetrieverTrace(name, None, None, len(positions))
    return RetrieverTrace(name, float(scores[rows[0]]), int(rows[0]) + 1, len(positions))


def _verdict(place: int | None, n: int, filters: tuple[FilterTrace, ...], dropped: Dropped | None) -> str:
    stopped = [f"{s.name} ({s.why})" if s.why else s.name for s in filters if not s.passed]
    if stopped:
        return f"Not shown: stopped by {' and '.join(stopped)}"
    if dropped is not None:
        return f"Not shown: taken out by {dropped.by}: {dropped.why}"
    if place is None:
        return "Not shown: no retriever proposed it"
    if place >= n:
        return f"Not among the first {n}: place {place + 1}"
    return f"Shown at place {place + 1}"
