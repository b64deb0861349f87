"""Steps of training that are the same on one machine and on Spark."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import orjson

from homefeed.catalog import ExposuresModel
from homefeed.catalog.exposing import settled_at
from homefeed.dataset.exposed import counted_exposures
from homefeed.environment import Environment
from homefeed.errors import NotFoundError
from homefeed.recipe import BLEND, EXPOSURES, SIGNALS, TRENDING, Recipe
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore
from homefeed.store.trending import refresh_trending
from homefeed.train.lease import Progress, Turn
from homefeed.train.publishing import Fit
from homefeed.train.tune import Tuning


def chosen_names(recipe: Recipe, models: Sequence[str] | None) -> Sequence[str]:
    """The names of the models to train, checked.

    Raises:
        NotFoundError: the recipe has no such model.
    """
    trending = [TRENDING] if recipe.keeps_trending else []
    known = [*(spec.name for spec in recipe.models), BLEND, SIGNALS, *_ranker_names(recipe), *trending]
    for name in models or ():
        if name not in known:
            raise NotFoundError(f'no model "{name}" in {recipe.app}; the models are: {", ".join(known)}')
    return known if models is None else models


def _ranker_names(recipe: Recipe) -> list[str]:
    return [spec.name for spec in recipe.rankers.values()]


def only(recipe: Recipe, names: Sequence[str]) -> Recipe:
    """The recipe with only these models, and all its feeds."""
    return replace(recipe, models=tuple(spec for spec in recipe.models if spec.name in names))


def kept_tunings(recipe: Recipe, artifacts: ArtifactStore) -> dict[str, Tuning]:
    """The earlier tuned values of models that are unchanged in the recipe."""
    kept = {}
    for spec in recipe.models:
        manifest = artifacts.manifest(recipe.app, spec.name)
        facts = manifest.facts.get("tuning") if manifest is not None else None
        if facts is not None and facts["recipe"] == orjson.loads(orjson.dumps(spec.config.model_dump())):
            kept[spec.name] = Tuning(spec.name, facts["changed"], facts)
    return kept


async def refresh_view(recipe: Recipe, store: Store, environment: Environment, turn: Turn) -> int:
    """How many rows the trending view has now."""
    turn.report("refreshing the trending view", 0, 1)
    weights = {name: event.weight for name, event in recipe.events.items() if event.about == "item"}
    now, creator = environment.clock(), recipe.items.creator
    rows = await refresh_trending(store, recipe.app, weights, now, turn.fenced, creator=creator)
    turn.report("refreshing the trending view", 1, 1)
    return rows


async def exposures_fit(
    recipe: Recipe, store: Store, artifacts: ArtifactStore, now: int, watermark: int, report: Progress
) -> Fit:
    """What was shown and chosen, going on from the last time it was counted."""
    report("reading what was shown", 0, 1)
    began, published = time.perf_counter(), artifacts.find(recipe.app, EXPOSURES, ExposuresModel)
    before = None if published is None else published.model
    until = settled_at(now)
    model = await counted_exposures(store, recipe, before, watermark, until)
    report("reading what was shown", 1, 1)
    return Fit(EXPOSURES, EXPOSURES, {}, lambda: model, seconds=time.perf_counter() - began)
