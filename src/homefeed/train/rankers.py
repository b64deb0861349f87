"""Learned rankers of a training: what was found of each, and those that are better published."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from homefeed.evaluate.ranking import Judged
from homefeed.recipe import Recipe
from homefeed.store.artifacts import Manifest
from homefeed.store.verdicts import note_verdict
from homefeed.times import format_time
from homefeed.train.publishing import Fit, Publisher

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FoundRanker:
    """A learned ranker, what was found of it, with `why` in words, and how it is published, if it is to be."""

    name: str
    part: str
    found: Mapping[str, Any]
    fit: Fit | None = None

    def told(self, *, dry_run: bool = False) -> str:
        """Whether it is published, and why."""
        became = "dry run" if dry_run else "not published" if self.fit is None else "published"
        return f"{became}; {self.found['why']}"


async def find_ranker(recipe: Recipe, feed: str, judge: Callable[[], Awaitable[Judged]]) -> FoundRanker:
    """What a judge finds of a feed's new ranker; one that cannot be made stops nothing else."""
    began, spec = time.perf_counter(), recipe.learned_ranker(feed)
    try:
        model, verdict, why = await judge()
    except Exception as error:  # a ranker that cannot be made must not stop the training of all others
        _log.error("ranker not made", app=recipe.app, feed=feed, error=f"{type(error).__name__}: {error}")
        model, verdict, why = None, None, f"not made: {error}"
    found = {"finding": why, "why": why} if verdict is None else verdict.to_json()
    if model is None or verdict is None or not verdict.taken:
        return FoundRanker(spec.name, spec.part, found)
    took = time.perf_counter() - began
    fit = Fit(spec.name, spec.part, spec.config.model_dump(), lambda: model, None, took, found)
    return FoundRanker(spec.name, spec.part, found, fit)


async def publish_rankers(rankers: Sequence[FoundRanker], publisher: Publisher) -> list[Manifest]:
    """Publish the rankers that are to be, and note what was found of all."""
    manifests, run = [], publisher.turn.run
    for ranker in rankers:
        manifest = None if ranker.fit is None else await publisher.publish(ranker.fit)
        manifests += [] if manifest is None else [manifest]
        version = None if manifest is None else manifest.version
        of = {"version": version, "part": ranker.part, "run": run.run_id}
        noted = {"judged_at": format_time(publisher.data.now), **of, **ranker.found}
        async with publisher.turn.fenced():
            note_verdict(publisher.artifacts.root, run.app, ranker.name, noted)
    return manifests
