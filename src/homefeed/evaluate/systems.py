"""The systems that are compared: a baseline, and each feed taken apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

import numpy as np

from homefeed.errors import InvalidError, NotFoundError
from homefeed.evaluate.setting import WeekCounts
from homefeed.funnel import Feed, Ranked, page, rank
from homefeed.recipe import FeedRecipe, PartSpec, Recipe
from homefeed.types import NO_POSITIONS, Positions, Query

DEPTH: Final = 20
"""The length of the requested page, and the depth of most measures."""
DEEP: Final = 100
"""The length of the lists, for recall beyond the page."""

WEEK_POPULAR: Final = "popular, 7 days"
"""The most frequent items of the last seven days: what is easily mistaken for personal taste."""

Role: TypeAlias = Literal["baseline", "week", "retriever", "merged", "ranked", "feed"]


@dataclass(frozen=True, slots=True)
class System:
    """One line of the comparison, and the feed it belongs to.

    "week" is what most events of the last seven days were about, of what the baseline may show. A "retriever" is
    the proposals of one retriever of the feed; "merged" the proposals of all of them in turn, without a ranker;
    "ranked" the order of the ranker, before any reranker; a "feed" or a "baseline" is the page as served.
    `feeds` are all of which a retriever is a part.
    """

    name: str
    role: Role
    feed: str
    retriever: str | None = None
    feeds: tuple[str, ...] = ()


def build_systems(recipe: Recipe, feeds: Sequence[str], baseline: str) -> tuple[System, ...]:
    """The systems of the feeds and the baseline, which goes first. None is included twice under two names:

    a retriever with the same settings in several feeds is included with the first, or as the baseline if that has
    no other; a feed of one retriever has no merged, one without rerankers no ranked.

    Raises:
        NotFoundError: a feed does not exist.
        InvalidError: a feed is about an item.
    """
    feeds = list(dict.fromkeys(feeds))
    for name in (*feeds, baseline):
        _check(recipe, name)
    systems = [System(baseline, "baseline", baseline), System(WEEK_POPULAR, "week", baseline)]
    of_baseline = recipe.feeds[baseline].retrieve
    judged = list(of_baseline) if len(of_baseline) == 1 else []
    names = {baseline, *feeds}
    for name in feeds:
        feed = recipe.feeds[name]
        for spec in feed.retrieve:
            if not any(_is_same(spec, other) for other in judged):
                judged.append(spec)
                served = tuple(
                    other for other in feeds if any(_is_same(spec, of) for of in recipe.feeds[other].retrieve)
                )
                systems.append(System(_free_name(spec.name, name, names), "retriever", name, spec.name, served))
                names.add(systems[-1].name)
        if len(feed.retrieve) > 1:
            systems.append(System(f"{name}: merged", "merged", name))
        if _reranks(recipe, feed):
            systems.append(System(f"{name}: ranked", "ranked", name))
        if name != baseline:
            systems.append(System(name, "feed", name))
    return tuple(systems)


@dataclass(frozen=True, slots=True)
class Answers:
    """Every system's list for a request, best first, and the errors of parts that failed, by their names."""

    lists: Mapping[str, Positions]
    failed: Mapping[str, str]


def run_systems(feeds: Mapping[str, Feed], week: WeekCounts, systems: Sequence[System], query: Query) -> Answers:
    """The answers of all systems to a request: each feed runs once for all its systems."""
    lists: dict[str, Positions] = {system.name: NO_POSITIONS for system in systems}
    failed: dict[str, str] = {}
    for name in dict.fromkeys(system.feed for system in systems):
        own = replace(query, feed=name)
        taken = [system for system in systems if system.feed == name]
        ranked = rank(feeds[name], own)
        alone = ranked
        if ranked.feed is not feeds[name] and any(system.role == "retriever" for system in taken):
            # The cold-start feed answers, so this feed's own retrievers have to be run as well.
            alone = rank(replace(feeds[name], cold_start=None), own)
        for system in taken:
            lists[system.name] = (
                week.best(ranked.query.eligible, DEEP)
                if system.role == "week"
                else _list(system, ranked, alone, own)
            )
        failed |= {f"{name}.{part}": error for part, error in {**alone.failed, **ranked.failed}.items()}
    return Answers(lists, failed)


def _list(system: System, ranked: Ranked, alone: Ranked, query: Query) -> Positions:
    if system.retriever is not None:
        return alone.proposals.get(system.retriever, (NO_POSITIONS, None))[0][:DEEP]
    if system.role == "merged":
        return interleaved([positions for positions, _ in ranked.proposals.values()], DEEP)
    if system.role == "ranked":
        return next(iter(ranked.stages.values()))[:DEEP]
    return page(ranked, replace(query, n=DEEP)).positions


def interleaved(lists: Sequence[Positions], max_items: int) -> Positions:
    """Round robin: the first of every list, then the second of every list, each item once; at most `max_items`."""
    every = np.concatenate([NO_POSITIONS, *lists])
    turn = np.concatenate([np.arange(len(found)) for found in [NO_POSITIONS, *lists]])
    in_turn = every[np.argsort(turn, kind="stable")]
    _, first = np.unique(in_turn, return_index=True)
    return in_turn[np.sort(first)][:max_items]


def _check(recipe: Recipe, name: str) -> None:
    if name not in recipe.feeds:
        raise NotFoundError(f'no feed "{name}" in {recipe.app}; there are: {", ".join(recipe.feeds)}')
    if recipe.feeds[name].settings.anchored:
        raise InvalidError(f"the feed {name} is about an item; only feeds for a user can be evaluated")


def _is_same(one: PartSpec, other: PartSpec) -> bool:
    return (one.name, one.part, one.config) == (other.name, other.part, other.config)


def _free_name(retriever: str, feed: str, taken: set[str]) -> str:
    names = (retriever, f"{retriever} (retriever)", f"{feed}: {retriever} (retriever)")
    return next(name for name in names if name not in taken)


def _reranks(recipe: Recipe, feed: FeedRecipe) -> bool:
    cold_start = feed.settings.cold_start
    return bool(feed.rerank) or (cold_start is not None and bool(recipe.feeds[cold_start].rerank))
