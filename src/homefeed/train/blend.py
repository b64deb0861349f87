"""When an app's blend is made anew, and what is kept of the one before."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from homefeed.dataset.log import LogData
from homefeed.engine.blending import ranker_of, retrievers_of
from homefeed.errors import ArtifactError
from homefeed.evaluate.blending import Blended, blending_feeds, fit_blend
from homefeed.evaluate.rolling import Progress
from homefeed.rank.blend import Blend, FeedBlend
from homefeed.recipe import BLEND, Recipe
from homefeed.store.artifacts import ArtifactStore
from homefeed.types import DAY, SECOND

_KEPT: Final = 7 * DAY
"""How long a blend is kept: what retrievers say changes more slowly than what they say it of."""


def new_blend(
    recipe: Recipe,
    log: LogData,
    artifacts: ArtifactStore,
    *,
    tune: bool,
    keep_tuned: bool,
    at_once: bool,
    progress: Progress,
) -> Blended | None:
    """The blend to publish; None where the one before still holds, or events are too few for one.

    It is made anew where feeds were changed, after seven days, and when it is to be tuned or made `at_once`.
    Weights that were tuned before are taken over, unless `keep_tuned` is false, as long as the feed weighs the
    same.
    """
    before = _published(recipe, artifacts) if keep_tuned else None
    if before is not None and not (tune or at_once) and _holds(recipe, log, artifacts, before):
        return None
    made = fit_blend(recipe, log.catalog, log.data, tune=tune, progress=progress)
    if not made.blend.feeds:
        return None
    if before is None or tune:
        return made
    feeds = {
        name: _with_weights(recipe, name, own, before.feeds.get(name)) for name, own in made.blend.feeds.items()
    }
    return replace(made, blend=Blend(feeds))


def facts_of(made: Blended) -> dict[str, Any]:
    """What the manifest says of how the weights were found."""
    return {
        name: asdict(found) | {"weights": dict(made.blend.feeds[name].weights)}
        for name, found in made.tuned.items()
    }


def _published(recipe: Recipe, artifacts: ArtifactStore) -> Blend | None:
    try:
        found = artifacts.load(recipe.app, BLEND, Blend)
    except ArtifactError:
        return None
    return None if found is None else found.model


def _holds(recipe: Recipe, log: LogData, artifacts: ArtifactStore, before: Blend) -> bool:
    manifest = artifacts.manifest(recipe.app, BLEND)
    if manifest is None:
        return False
    made = round(datetime.fromisoformat(manifest.created_at).timestamp() * SECOND)
    return log.data.now - made < _KEPT and all(
        name in before.feeds and before.feeds[name].retrievers == retrievers_of(recipe.feeds[name])
        for name in blending_feeds(recipe)
    )


def _with_weights(recipe: Recipe, name: str, own: FeedBlend, before: FeedBlend | None) -> FeedBlend:
    if before is None or before.retrievers != own.retrievers or before.ranker != ranker_of(recipe.feeds[name]):
        return own
    return replace(own, ranker=before.ranker, weights=before.weights)
