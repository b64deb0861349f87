"""The one request path: screens, retrievers, merge, features, rank, arrange, last gate, cut, reasons."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Self

import numpy as np

from homefeed.errors import HomefeedError, InvalidError
from homefeed.explain import FeatureTrace, RetrieverTrace, ScreenTrace, Trace, reasons_for
from homefeed.protocols import Arranger, Explains, FeatureExtractor, Ranker, Retriever, Screen
from homefeed.types import Candidates, Dropped, Floats, Mask, Positions, Query, Scores, Slate

_PASSED_OVER = 64
"""How many more candidates than asked for are looked for, so that arrangers and the last gate have spares."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One surface of an app with its parts built. Screens and retrievers keep the order of the recipe.

    `explaining` are those of the retrievers that give reasons.
    """

    name: str
    screens: Mapping[str, Screen]
    retrievers: Mapping[str, tuple[Retriever, int]]
    extractors: Mapping[str, FeatureExtractor]
    ranker: Ranker
    arrangers: Mapping[str, Arranger]
    anchored: bool = False
    cold_start: Self | None = None
    explaining: Mapping[str, Explains] = field(init=False)

    def __post_init__(self) -> None:
        explaining = {name: part for name, (part, _) in self.retrievers.items() if isinstance(part, Explains)}
        object.__setattr__(self, "explaining", explaining)


@dataclass(frozen=True, slots=True)
class Ranked:
    """All candidates of a request, best first, and how they came about."""

    feed: Feed
    query: Query
    candidates: Candidates
    proposals: Mapping[str, tuple[Positions, Scores]]
    passed: Mapping[str, Mask]
    cold_start: bool
    failed: dict[str, str] = field(default_factory=dict)


def recommend(feed: Feed, query: Query) -> Slate:
    """Answer a request.

    A retriever or feature extractor that raises narrows the slate and is named in `failed`; a screen, ranker or
    arranger that raises fails the request.
    """
    ranked = rank(feed, query)
    page = _gated(ranked).take(slice(query.n))
    if not len(page):
        return Slate(feed.name, page.positions, page.scores, (), (), ranked.cold_start, ranked.failed)
    contributions = ranked.feed.ranker.contributions(ranked.query, page)
    reasons = _reasons(ranked, page, contributions)
    proposed = ~np.isnan(page.retrieved)
    sources = tuple(
        tuple(name for name, is_source in zip(page.retrievers, row, strict=True) if is_source)
        for row in proposed.tolist()
    )
    return Slate(feed.name, page.positions, page.scores, reasons, sources, ranked.cold_start, ranked.failed)


def explain(feed: Feed, query: Query, position: int) -> Trace:
    """Tell why the item at `position` is, or is not, where it is in the answer to the query."""
    ranked = rank(feed, query)
    gated = _gated(ranked)
    places = np.flatnonzero(gated.positions == position)
    place = int(places[0]) if len(places) else None
    screens = tuple(ScreenTrace(name, bool(mask[position])) for name, mask in ranked.passed.items())
    dropped = next((d for d in gated.dropped if position in d.positions), None)
    features: tuple[FeatureTrace, ...] = ()
    score = reason = None
    if place is not None:
        row = gated.take(slice(place, place + 1))
        contributions = ranked.feed.ranker.contributions(ranked.query, row)
        features = tuple(
            FeatureTrace(name, float(value), float(added))
            for name, value, added in zip(row.feature_names, row.features[0], contributions[0], strict=True)
        )
        score = float(row.scores[0])
        reason = _reasons(ranked, row, contributions)[0]
    return Trace(
        feed=feed.name,
        made_by=ranked.feed.name,
        cold_start=ranked.cold_start,
        verdict=_verdict(place, query.n, screens, dropped),
        place=None if place is None else place + 1,
        candidates=len(gated),
        score=score,
        reason=reason,
        screens=screens,
        retrievers=tuple(_retriever_trace(name, found, position) for name, found in ranked.proposals.items()),
        features=features,
        dropped_by=None if dropped is None else f"{dropped.by}: {dropped.why}",
        failed=tuple(f"{name}: {error}" for name, error in ranked.failed.items()),
    )


def rank(feed: Feed, query: Query) -> Ranked:
    """All candidates for the query, ranked and arranged."""
    if feed.anchored and query.anchor is None:
        raise InvalidError(f"item_id: the feed {feed.name} is about an item; name it")
    cold_start = query.user.is_cold and query.anchor is None
    if cold_start and feed.cold_start is not None:
        feed = feed.cold_start
    passed = {name: screen.screen(query) for name, screen in feed.screens.items()}
    query = replace(query, eligible=reduce(np.logical_and, passed.values()))
    failed: dict[str, str] = {}
    proposals = {}
    for name, (retriever, k) in feed.retrievers.items():
        try:
            proposals[name] = retriever.retrieve(query, max(k, _depth(query.n)))
        except HomefeedError:
            raise
        except Exception as error:  # whatever it was, the others can still answer
            failed[name] = f"{type(error).__name__}: {error}"
    candidates = _described(feed, query, _merged(feed, proposals), failed)
    scores = feed.ranker.score(query, candidates)
    # Where scores are equal, as among items that nobody played, the newest of the catalogue come first.
    best_first = np.lexsort((-candidates.positions, -scores))
    candidates = replace(candidates, scores=scores).take(best_first)
    for arranger in feed.arrangers.values():
        candidates = arranger.arrange(query, candidates)
    return Ranked(feed, query, candidates, proposals, passed, cold_start, failed)


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
    blocks: list[Floats] = [_normalised(candidates.retrieved)]
    for name, extractor in feed.extractors.items():
        try:
            block = extractor.extract(query, candidates)
        except Exception as error:  # a missing feature costs quality, not the answer
            failed[name] = f"{type(error).__name__}: {error}"
            block = np.zeros((len(candidates), len(extractor.names)), np.float32)
        names += extractor.names
        blocks.append(block)
    return replace(candidates, feature_names=tuple(names), features=np.concatenate(blocks, axis=1))


def _normalised(retrieved: Floats) -> Floats:
    scores = np.where(np.isnan(retrieved), np.float32(0), retrieved)
    best = scores.max(axis=0, initial=0)
    return (scores / np.where(best > 0, best, 1)).astype(np.float32)


def _gated(ranked: Ranked) -> Candidates:
    """The last gate: every screen is asked again about what is about to be shown."""
    candidates = ranked.candidates
    for name, screen in ranked.feed.screens.items():
        passes = screen.screen(ranked.query)[candidates.positions]
        if not passes.all():
            gone = Dropped(name, candidates.positions[~passes], "stopped at the last gate")
            candidates = replace(candidates.take(passes), dropped=(*candidates.dropped, gone))
    return candidates


def _reasons(ranked: Ranked, page: Candidates, contributions: Floats) -> tuple[str, ...]:
    otherwise = f"From the list {ranked.feed.name}"
    return reasons_for(ranked.query, page, contributions, ranked.feed.explaining, otherwise, ranked.failed)


def _retriever_trace(name: str, found: tuple[Positions, Scores], position: int) -> RetrieverTrace:
    positions, scores = found
    rows = np.flatnonzero(positions == position)
    if not len(rows):
        return RetrieverTrace(name, None, None, len(positions))
    return RetrieverTrace(name, float(scores[rows[0]]), int(rows[0]) + 1, len(positions))


def _verdict(place: int | None, n: int, screens: tuple[ScreenTrace, ...], dropped: Dropped | None) -> str:
    stopped = [screen.name for screen in screens if not screen.passed]
    if stopped:
        return f"Not shown: stopped by {' and '.join(stopped)}"
    if dropped is not None:
        return f"Not shown: taken out by {dropped.by}: {dropped.why}"
    if place is None:
        return "Not shown: no retriever proposed it"
    if place >= n:
        return f"Not among the first {n}: place {place + 1}"
    return f"Shown at place {place + 1}"
