"""The one request path: filter, retrieve, merge, extract features, rank, rerank, filter again, give reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, reduce
from typing import Final, Self, TypeAlias

import numpy as np

from homefeed.errors import HomefeedError, InvalidError, NotFoundError
from homefeed.explain import SEEN_BEFORE, reasons_for
from homefeed.protocols import (
    ExpiringFilter,
    ExplanationFilter,
    FeatureExtractor,
    Filter,
    PersonalFilter,
    Ranker,
    RepeatFilter,
    Reranker,
    Retriever,
    RetrieverExplainer,
)
from homefeed.rank.calibration import weigh_evidence
from homefeed.rank.kernels import Doubles
from homefeed.rank.order import best_first, longest_ago_first
from homefeed.recipe.feeds import FeedSettings
from homefeed.retrieve.merging import depth_of, merged, normalise, what_is_wrong
from homefeed.scope import RequestScope
from homefeed.types import (
    DAY,
    NEVER,
    NO_POSITIONS,
    OWN,
    Candidates,
    Dropped,
    Floats,
    Mask,
    Positions,
    Query,
    Scores,
    Slate,
    UserState,
)

_Proposals: TypeAlias = Mapping[str, tuple[Positions, Scores]]
_NO_MASK: Final[Mask] = np.empty(0, np.bool_)


@dataclass(frozen=True, slots=True)
class Feed:
    """One surface of an app with its parts built. Filters and retrievers keep the order of the recipe; a retriever
    with an entry in `instead_of` proposes only where the one that it names does not.

    `isolation`, one of the filters, says what the user may know of at all: what it does not pass is not even
    looked at in their history. `explaining` are those of the retrievers that give reasons, `restricting` those of
    the filters that say which items a reason may name, `expiring` those that the clock alone can change,
    `personal` those that go by who asks, `repeat_filters` name those that stop what the user has seen. Scores and
    ranks are evidence by the `calibration` (retrievers, 6); without it a score counts by its share of the best.
    `ranked_by` is the part that ranks, `why_not_learned` why it is not the learned one. A feed that declares one
    has its `own` ranker beside it, whose score is a feature of its candidates, the last. `stand_ins` name the
    retrievers that propose because the model of another is not there, and say why.
    """

    name: str
    settings: FeedSettings
    filters: Mapping[str, Filter]
    retrievers: Mapping[str, tuple[Retriever, int]]
    extractors: Mapping[str, FeatureExtractor]
    ranker: Ranker
    rerankers: Mapping[str, Reranker]
    isolation: Filter | None = None
    cold_start: Self | None = None
    calibration: Doubles | None = None
    ranked_by: str = ""
    why_not_learned: str | None = None
    own: Ranker | None = None
    instead_of: Mapping[str, str] = field(default_factory=dict)
    stand_ins: tuple[str, ...] = ()
    explaining: Mapping[str, RetrieverExplainer] = field(init=False)
    expiring: tuple[ExpiringFilter, ...] = field(init=False)
    personal: tuple[PersonalFilter, ...] = field(init=False)
    repeat_filters: frozenset[str] = field(init=False)
    restricting: tuple[str, ...] = field(init=False)
    filter_set: tuple[int, ...] = field(init=False)
    feature_names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        explaining = {n: part for n, (part, _) in self.retrievers.items() if isinstance(part, RetrieverExplainer)}
        restricting = tuple(
            name
            for name, part in self.filters.items()
            if isinstance(part, ExplanationFilter) and part.restricts_explanations
        )
        object.__setattr__(self, "explaining", explaining)
        object.__setattr__(self, "restricting", restricting)
        for name, kind in (("expiring", ExpiringFilter), ("personal", PersonalFilter)):
            object.__setattr__(self, name, tuple(each for each in self.filters.values() if isinstance(each, kind)))
        repeats = (n for n, part in self.filters.items() if isinstance(part, RepeatFilter) and part.stops_repeats)
        object.__setattr__(self, "repeat_filters", frozenset(repeats))
        extracted = (name for extractor in self.extractors.values() for name in extractor.names)
        own = () if self.own is None else (OWN,)
        object.__setattr__(self, "feature_names", (*self.retrievers, *extracted, *own))
        # Feeds of equal filters share one mask: parts of equal settings are one object in all feeds of an app.
        object.__setattr__(self, "filter_set", tuple(sorted(map(id, self.filters.values()))))

    def with_repeats(self) -> Feed:
        """The same without the filters of what the user has seen."""
        return replace(self, filters={n: part for n, part in self.filters.items() if n not in self.repeat_filters})


@dataclass(frozen=True, slots=True)
class Ranked:
    """All candidates of a request, best first, and how they came about.

    `name` is the feed that was requested, `feed` the one that answers; `stages` are the positions in order, once
    ranked and after each reranker. `failed` names the parts that raised, with the error. `all_seen`: the
    user has seen all that there was.
    """

    name: str
    feed: Feed
    query: Query
    candidates: Candidates
    proposals: Mapping[str, tuple[Positions, Scores]]
    passed: Mapping[str, Mask]
    stages: Mapping[str, Positions]
    cold_start: bool
    failed: Mapping[str, str] = field(default_factory=dict)
    all_seen: bool = False


def recommend(feed: Feed, query: Query) -> Slate:
    """Answer a request.

    A retriever or feature extractor that raises narrows the slate and is named in `failed`; a filter, ranker or
    reranker that raises fails the request.
    """
    return page(rank(feed, query), query)


def recommend_together(requests: Sequence[tuple[Feed, Query]]) -> list[Slate]:
    """Answer several feeds for one user, moment, anchor and context, as `recommend` answers each.

    What the feeds have in common is computed once, in the scope of the first query.
    """
    if not requests:
        return []
    scope = requests[0][1].scope
    shared = [(feed, replace(query, scope=scope)) for feed, query in requests]
    return [page(rank(feed, query), query, judged=True) for feed, query in shared]


def rank(feed: Feed, query: Query, also: Positions = NO_POSITIONS) -> Ranked:
    """All candidates for the query, ranked and reranked; the positions `also` are some, whoever proposes them.

    Raises:
        InvalidError: the feed is about an item, and none is named.
        NotFoundError: the anchor is none of the user's.
    """
    if feed.settings.anchored and query.anchor is None:
        raise InvalidError(f"item_id: the feed {feed.name} is about an item; name it")
    name, narrowed = feed.name, _narrow(feed, query)
    cold_start = narrowed.user.is_cold and query.anchor is None
    if cold_start and feed.cold_start is not None:
        feed = feed.cold_start
        narrowed = _narrow(feed, query)
    failed: dict[str, str] = {}
    query, passed = _filter(feed, narrowed)
    all_seen = not query.eligible.any() and _would_pass(feed, passed)
    if repeats := (all_seen and feed.settings.repeats_when_all_seen):
        feed = feed.with_repeats()
        query, passed = _filter(feed, narrowed)
    proposals = _retrieve(feed, query, failed)
    size = len(query.eligible)
    try:
        candidates = query.scope.timed("merge", partial(_merge, feed, proposals, size, also))
    except ValueError:
        proposals = _sound(proposals, size, failed)
        candidates = _merge(feed, proposals, size, also)
    _extract(feed, query, candidates, failed)
    candidates = query.scope.timed("rank", partial(_score, feed, query, candidates))
    stages = {feed.name: candidates.positions}
    for part, reranker in feed.rerankers.items():
        candidates = query.scope.timed(f"rerank.{part}", partial(reranker.rerank, query, candidates))
        stages[part] = candidates.positions
    if repeats:
        candidates = longest_ago_first(query, candidates)
    return Ranked(name, feed, query, candidates, proposals, passed, stages, cold_start, failed, all_seen)


def page(ranked: Ranked, query: Query, *, judged: bool = False) -> Slate:
    """The first `query.n` of what was ranked, for this or an earlier request, that the filters let pass now.

    Filters that `judged` the same catalogue for ranking are not asked again.

    Raises:
        NotFoundError: the anchor is none of the user's.
    """
    if judged:
        query, passed = replace(ranked.query, n=query.n), ranked.passed
    else:
        query = replace(query, scope=query.scope.for_final_filter())
        query, passed = _filter(ranked.feed, _narrow(ranked.feed, query))
    # Hardly ever does any filter stop one of them: then none has to be looked up in each mask.
    every_passes = query.eligible[ranked.candidates.positions].all()
    candidates = ranked.candidates if every_passes else filter_late(ranked, passed)
    shown = candidates.first(query.n)
    contributions = ranked.feed.ranker.contributions(query, shown)
    failed: dict[str, str] = {}
    reasons = query.scope.timed("reasons", partial(give_reasons, ranked, query, shown, contributions, failed))
    return Slate(
        feed=ranked.name,
        positions=shown.positions,
        scores=shown.scores,
        reasons=reasons,
        sources=_sources(shown),
        cold_start=ranked.cold_start,
        feature_names=shown.feature_names,
        features=shown.features,
        propensities=propensities(shown),
        remaining=len(candidates) - len(shown),
        made_by=ranked.feed.name,
        filtered_late=tuple(drop.by for drop in candidates.dropped[len(ranked.candidates.dropped) :]),
        failed={**ranked.failed, **failed},
        seconds=query.scope.seconds,
        all_seen=ranked.all_seen,
        stale_from=min((part.passes_until(shown.positions) for part in ranked.feed.expiring), default=NEVER),
    )


def slim(ranked: Ranked, max_items: int) -> Ranked:
    """What later pages need of it: the first candidates, no masks of the whole catalogue, no failure twice."""
    query = replace(ranked.query, eligible=_NO_MASK, explainable=_NO_MASK, scope=RequestScope())
    candidates = replace(ranked.candidates.first(max_items), dropped=())
    return replace(ranked, query=query, candidates=candidates, proposals={}, passed={}, stages={}, failed={})


def visible(isolation: Filter, query: Query) -> Mask:
    """(items,) what the user may know of: computed once for all feeds of a request."""
    return query.scope.once(isolation, "filter.isolation", partial(isolation.filter, query))


def filter_late(ranked: Ranked, passed: Mapping[str, Mask]) -> Candidates:
    """The final filter: every filter has judged again, now that it is known what is about to be shown."""
    candidates = ranked.candidates
    for name, mask in passed.items():
        passes = mask[candidates.positions]
        if not passes.all():
            gone = Dropped(name, candidates.positions[~passes], "stopped by the final filter")
            candidates = replace(candidates.take(passes), dropped=(*candidates.dropped, gone))
    return candidates


def filter_again(ranked: Ranked) -> Mapping[str, Mask]:
    """What each filter of the feed says now of the request that was ranked."""
    query = replace(ranked.query, scope=ranked.query.scope.for_final_filter())
    return _filter(ranked.feed, query)[1]


def propensities(candidates: Candidates) -> Floats:
    """(n,) the probabilities with which chance put each where it is."""
    return np.ones(len(candidates), np.float32) if candidates.propensities is None else candidates.propensities


def give_reasons(
    ranked: Ranked, query: Query, shown: Candidates, contributions: Floats, failed: dict[str, str]
) -> tuple[str, ...]:
    """(n,) a sentence for each of the candidates; what raises is named in `failed`."""
    if not len(shown):
        return ()
    if ranked.all_seen:
        return (SEEN_BEFORE,) * len(shown)
    feed, otherwise = ranked.feed, f"From the list {ranked.feed.name}"
    return reasons_for(query, shown, contributions, feed.explaining, otherwise, failed, feed.settings.reasons)


def _narrow(feed: Feed, query: Query) -> Query:
    """The query by what the feed looks at: recent history, and nothing that the user may not know of."""
    if feed.settings.history_days is not None:
        days = feed.settings.history_days
        scope = query.scope.view(days)
        user = scope.once(None, "history", partial(query.user.since, query.now - int(days * DAY)))
        query = replace(query, user=user, scope=scope)
    return query if feed.isolation is None else _isolate(feed.isolation, query)


def _isolate(isolation: Filter, query: Query) -> Query:
    """The query without anything that the user may not know of: not even reasons may tell of it."""
    mask = visible(isolation, query)
    if query.anchor is not None and not mask[query.anchor]:
        raise NotFoundError(f"item_id: no such item in {query.app}")
    user = query.scope.once(isolation, "filter.history", partial(_isolated_user, query.user, mask))
    if user is not query.user:
        query = replace(query, user=user)
    named = len(query.exclude) or len(query.recently_shown)
    if named and not (mask[query.exclude].all() and mask[query.recently_shown].all()):
        exclude, recent = (positions[mask[positions]] for positions in (query.exclude, query.recently_shown))
        query = replace(query, exclude=exclude, recently_shown=recent)
    return query


def _isolated_user(user: UserState, mask: Mask) -> UserState:
    known = mask[user.ever.items]
    if known.all():
        return user
    whole = None if user.whole is None else user.whole.take(known)
    return replace(user, history=user.history.take(mask[user.history.items]), whole=whole)


def _filter(feed: Feed, query: Query) -> tuple[Query, Mapping[str, Mask]]:
    """The query with what its user may see and what reasons may name, and what of that each filter passes."""
    scope = query.scope
    passed = {
        name: scope.once(part, f"filter.{name}", partial(part.filter, query))
        for name, part in feed.filters.items()
    }
    eligible = scope.once(None, "filter", partial(reduce, np.logical_and, passed.values()), *feed.filter_set)
    masks = [passed[name] for name in feed.restricting]
    explainable = scope.once(None, "filter.reasons", partial(_all_of, masks, len(eligible)), *feed.filter_set)
    return replace(query, eligible=eligible, explainable=explainable), passed


def _would_pass(feed: Feed, passed: Mapping[str, Mask]) -> bool:
    """Whether there is anything that no filter stops but those of what the user has seen."""
    return bool(_all_of([mask for name, mask in passed.items() if name not in feed.repeat_filters], 0).any())


def _all_of(masks: Sequence[Mask], size: int) -> Mask:
    return reduce(np.logical_and, masks) if masks else np.ones(size, np.bool_)


def _retrieve(feed: Feed, query: Query, failed: dict[str, str]) -> dict[str, tuple[Positions, Scores]]:
    """What each retriever proposes inside the mask."""
    proposals, depth = {}, depth_of(query.n)
    answered: set[str] = set()
    for name, (retriever, k) in feed.retrievers.items():
        if feed.instead_of.get(name) in answered:
            answered.add(name)  # for whoever stands in for this one
            continue
        wanted = max(k, depth)
        propose = partial(retriever.retrieve, query, wanted)
        try:
            proposals[name] = query.scope.once(retriever, f"retrieve.{name}", propose, wanted, *feed.filter_set)
        except HomefeedError:
            raise
        except Exception as error:  # whatever it was, the others can still answer
            failed[name] = f"{type(error).__name__}: {error}"
        if name in proposals and len(proposals[name][0]):
            answered.add(name)
    return proposals


def _sound(proposals: _Proposals, size: int, failed: dict[str, str]) -> dict[str, tuple[Positions, Scores]]:
    """The proposals that name items of the catalogue; the retrievers of the others have failed."""
    wrong = {name: what_is_wrong(*found, size) for name, found in proposals.items()}
    failed |= {name: why for name, why in wrong.items() if why is not None}
    return {name: found for name, found in proposals.items() if wrong[name] is None}


def _merge(feed: Feed, proposals: _Proposals, size: int, also: Positions) -> Candidates:
    """All proposals side by side and, as features, what retrievers say: evidence, or scores over their best."""
    positions, scores, ranks = merged(tuple(feed.retrievers), proposals, size, also)
    features = np.zeros((len(positions), len(feed.feature_names)), np.float32)
    if feed.calibration is None:
        normalise(scores, features)
    else:
        weigh_evidence(scores, ranks, feed.calibration, features)
    unscored = np.zeros(len(positions), np.float32)
    return Candidates(positions, tuple(feed.retrievers), scores, feed.feature_names, features, unscored)


def _extract(feed: Feed, query: Query, candidates: Candidates, failed: dict[str, str]) -> None:
    """Write the extractors' features; 0 where one raises."""
    start = len(candidates.retrievers)
    for name, extractor in feed.extractors.items():
        stop = start + len(extractor.names)
        try:
            block = query.scope.timed(f"features.{name}", partial(extractor.extract, query, candidates))
            candidates.features[:, start:stop] = block
        except Exception as error:  # a missing feature costs quality, not the answer
            failed[name] = f"{type(error).__name__}: {error}"
        start = stop


def _score(feed: Feed, query: Query, candidates: Candidates) -> Candidates:
    if feed.own is not None:
        candidates.features[:, -1] = feed.own.score(query, candidates)
    scores = candidates.features[:, -1].copy() if feed.ranker is feed.own else feed.ranker.score(query, candidates)
    return replace(candidates, scores=scores).take(best_first(scores, candidates.positions))


def _sources(shown: Candidates) -> tuple[tuple[str, ...], ...]:
    """The retrievers that proposed each: of thousands of items, few sets of retrievers."""
    rows = [row.tobytes() for row in ~np.isnan(shown.retriever_scores)]
    of = shown.retrievers
    names = {row: tuple(n for n, proposed in zip(of, row, strict=True) if proposed) for row in set(rows)}
    return tuple(names[row] for row in rows)
