"""When an app's blend is made anew, and what is kept of the one before."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import orjson

from homefeed.dataset.log import LogData
from homefeed.engine.blending import ranker_of, retrievers_of
from homefeed.errors import ArtifactError
from homefeed.evaluate.blending import Blended, blending_feeds, fit_blend
from homefeed.evaluate.rolling import Progress
from homefeed.rank.blend import Blend, FeedBlend
from homefeed.recipe import BLEND, Recipe
from homefeed.store.artifacts import ArtifactStore, Loaded
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

    It is made anew where the goal, its feeds' retrievers or any model's settings were changed, after seven days,
    and when it is to be tuned or made `at_once`. Weights that were tuned before are taken over, unless
    `keep_tuned` is false, as long as the feed weighs the same; so is the whole of a feed for which there are too
    few requests now.
    """
    published = _published(recipe, artifacts)
    if published is not None and not keep_tuned:
        published = replace(published, model=_untuned(published.model))
    elif published is not None and not (tune or at_once) and _holds(recipe, log.data.now, published):
        return None
    made = fit_blend(recipe, log.catalog, log.data, tune=tune, progress=progress)
    if not made.blend.feeds and (published is None or keep_tuned):
        return None
    if published is None:
        return made
    before = published.model
    feeds = {
        name: own if tune else _with_weights(recipe, name, own, before.feeds.get(name))
        for name, own in made.blend.feeds.items()
    }
    return replace(made, blend=Blend(_still_holding(recipe, before) | feeds))


def made_for(recipe: Recipe) -> dict[str, Any]:
    """What a blend is made for, as its manifest has it: one made for anything else does not hold."""
    models = [(spec.name, spec.part, spec.config.model_dump(mode="json")) for spec in recipe.models]
    return {
        "goal": recipe.goal.model_dump(mode="json"),
        "feeds": {name: retrievers_of(recipe.feeds[name]) for name in blending_feeds(recipe)},
        "models": sha256(orjson.dumps(models)).hexdigest()[:16],
    }


def facts_of(made: Blended) -> dict[str, Any]:
    """What the manifest says of how the weights were found."""
    return {
        name: asdict(found) | {"weights": dict(made.blend.feeds[name].weights)}
        for name, found in made.tuned.items()
    }


def _published(recipe: Recipe, artifacts: ArtifactStore) -> Loaded[Blend] | None:
    try:
        return artifacts.load(recipe.app, BLEND, Blend)
    except ArtifactError:
        return None


def _untuned(blend: Blend) -> Blend:
    return Blend({name: replace(own, ranker="", weights={}) for name, own in blend.feeds.items()})


def _holds(recipe: Recipe, now: int, published: Loaded[Blend]) -> bool:
    manifest = published.manifest
    made = round(datetime.fromisoformat(manifest.created_at).timestamp() * SECOND)
    return not published.refused and manifest.config == made_for(recipe) and now - made < _KEPT


def _still_holding(recipe: Recipe, before: Blend) -> dict[str, FeedBlend]:
    """What the blend before says of feeds that are made of the same."""
    same = {name: retrievers_of(recipe.feeds[name]) for name in blending_feeds(recipe)}
    return {name: own for name, own in before.feeds.items() if same.get(name) == own.retrievers}


def _with_weights(recipe: Recipe, name: str, own: FeedBlend, before: FeedBlend | None) -> FeedBlend:
    if before is None or before.retrievers != own.retrievers or before.ranker != ranker_of(recipe.feeds[name]):
        return own
    return replace(own, ranker=before.ranker, weights=before.weights)
