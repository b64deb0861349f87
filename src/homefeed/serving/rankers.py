"""Which ranker of a feed ranks, and why: what a server tells of the learned one."""

from __future__ import annotations

from dataclasses import dataclass

from homefeed.funnel import Feed
from homefeed.protocols import Model
from homefeed.recipe import Recipe
from homefeed.serving.models import ModelSet
from homefeed.store.artifacts import ArtifactStore, Loaded
from homefeed.store.verdicts import RankerVerdict, read_verdict, verdicts_of


@dataclass(frozen=True, slots=True)
class LearnedState:
    """The learned ranker that a feed declares: whether it ranks the feed, and why, or why not.

    `version` is the one that is loaded, null where none is. `verdict` is what `why` tells of: null where that is
    something else.
    """

    model: str
    part: str
    serving: bool
    why: str
    version: str | None
    verdict: RankerVerdict | None


@dataclass(frozen=True, slots=True)
class LearnedHistory:
    """The learned ranker of a feed, and what is kept of it, the latest first: versions and verdicts."""

    feed: str
    ranked_by: str
    learned: LearnedState
    versions: tuple[str, ...]
    verdicts: tuple[RankerVerdict, ...]


def learned_state(recipe: Recipe, feed: Feed, models: ModelSet) -> LearnedState | None:
    """Of a feed as it is built of these models; None where it declares no learned ranker."""
    spec = recipe.rankers.get(feed.name)
    if spec is None:
        return None
    loaded, why_not = models.loaded.get(spec.name), feed.why_not_learned
    version = None if loaded is None else loaded.manifest.version
    if why_not is None:
        verdict = None if loaded is None else _of_version(loaded)
        return LearnedState(spec.name, spec.part, True, _why_serving(verdict), version, verdict)
    latest = models.verdicts.get(spec.name)
    told = None if latest is None or latest.sentence != why_not else latest
    return LearnedState(spec.name, spec.part, False, why_not, version, told)


def learned_history(
    recipe: Recipe, feed: Feed, models: ModelSet, artifacts: ArtifactStore
) -> LearnedHistory | None:
    """The same with what the files keep of it, which are read now."""
    learned = learned_state(recipe, feed, models)
    if learned is None:
        return None
    versions = tuple(artifacts.versions(recipe.app, learned.model))
    noted = (read_verdict(each) for each in verdicts_of(artifacts.root, recipe.app, learned.model))
    verdicts = tuple(each for each in noted if each is not None)
    return LearnedHistory(feed.name, feed.ranked_by, learned, versions, verdicts)


def _why_serving(verdict: RankerVerdict | None) -> str:
    return "it was published without a verdict" if verdict is None else verdict.sentence


def _of_version(loaded: Loaded[Model]) -> RankerVerdict | None:
    """The verdict that a version was published by: it holds whatever was found of others since."""
    manifest = loaded.manifest
    found = manifest.facts.get("verdict")
    if not isinstance(found, dict):
        return None
    told = {"judged_at": manifest.created_at, "version": manifest.version, "part": manifest.part}
    return read_verdict(found | told)
