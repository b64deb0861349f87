"""When an app's blend is made anew, and what is kept of the one before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from homefeed.dataset.log import LogData
from homefeed.engine.blending import ranker_of, retrievers_of
from homefeed.evaluate.blending import Blended, blending_feeds, fit_blend
from homefeed.evaluate.rolling import Progress
from homefeed.protocols import NamesModel
from homefeed.rank.blend import Blend, FeedBlend
from homefeed.recipe import BLEND, PartSpec, Recipe
from homefeed.store.artifacts import ArtifactStore, Loaded
from homefeed.train.search import Budget
from homefeed.train.settings import TunedSettings, settings_of, tune_settings
from homefeed.types import DAY, SECOND

_KEPT: Final = 7 * DAY
"""How long a blend is kept: what retrievers say changes more slowly than what they say it of."""


@dataclass(frozen=True, slots=True)
class NewBlend:
    """A blend to publish, and what its manifest says, by feed, of how it was tuned."""

    blend: Blend
    facts: Mapping[str, Any]


def new_blend(
    recipe: Recipe,
    log: LogData,
    artifacts: ArtifactStore,
    *,
    tune: Budget | None,
    keep_tuned: bool,
    at_once: bool,
    progress: Progress,
) -> NewBlend | None:
    """The blend to publish; None where the one before still holds, or events are too few for one.

    It is made anew where the goal, its feeds' retrievers or any model's settings were changed, after seven days,
    and when it is to be tuned, within the budget for the retrievers' numbers, or made `at_once`. What was tuned
    before is taken over, unless `keep_tuned` is false or something else is found, as long as the feed is made of
    the same. So is the whole of a feed for which there are too few requests now, if its models are as they were.
    """
    published = artifacts.find(recipe.app, BLEND, Blend)
    as_it_is = keep_tuned and tune is None and not at_once
    if as_it_is and published is not None and _holds(recipe, log.data.now, published):
        return None
    before = {} if published is None else _made_of_the_same(recipe, published.model, keep_tuned)
    tuned = () if tune is None else tune_settings(recipe, log.catalog, log.data, tune, progress)
    settings = settings_of(tuned, {name: own.settings for name, own in before.items()})
    weigh = tune is not None
    made = fit_blend(recipe, log.catalog, log.data, tune=weigh, settings=settings, progress=progress)
    holding = {} if published is None else _still_holding(recipe, published, before)
    if not made.blend.feeds and (published is None or (keep_tuned and holding == published.model.feeds)):
        return None
    feeds = {name: _with_weights(recipe, name, own, before.get(name)) for name, own in made.blend.feeds.items()}
    made = replace(made, blend=Blend(holding | feeds))
    return NewBlend(made.blend, _facts_of(made, tuned))


def made_for(recipe: Recipe) -> dict[str, Any]:
    """What a blend is made for, as its manifest has it: one made for anything else does not hold."""
    return {
        "goal": recipe.goal.model_dump(mode="json"),
        "feeds": {name: _feed_and_models(recipe, name) for name in blending_feeds(recipe)},
        "models": _digest(map(_told, recipe.models)),
    }


def _feed_and_models(recipe: Recipe, name: str) -> str:
    """What a feed retrieves by, its models too, as a digest."""
    feed = recipe.feeds[name]
    named = {spec.config.model for spec in feed.retrieve if isinstance(spec.config, NamesModel)}
    return _digest([retrievers_of(feed), *(_told(spec) for spec in recipe.models if spec.name in named)])


def _told(spec: PartSpec) -> str:
    return f"{spec.name} {spec.part} {spec.config.model_dump_json()}"


def _digest(lines: Iterable[str]) -> str:
    return sha256("\n".join(lines).encode()).hexdigest()[:16]


def _facts_of(made: Blended, tuned: Iterable[TunedSettings]) -> dict[str, Any]:
    facts = made.facts()
    for one in tuned:
        if one.feed in made.blend.feeds:
            own = facts.setdefault(one.feed, {})
            served = made.blend.feeds[one.feed].settings.get(one.retriever, {})
            own.setdefault("settings", {})[one.retriever] = {**one.facts, "served": dict(served)}
    return facts


def _made_of_the_same(recipe: Recipe, blend: Blend, keep_tuned: bool) -> dict[str, FeedBlend]:
    """The blends of feeds that retrieve by the same; without what was tuned, unless that is kept."""
    same = {name: retrievers_of(recipe.feeds[name]) for name in blending_feeds(recipe)}
    found = {name: own for name, own in blend.feeds.items() if same.get(name) == own.retrievers}
    if keep_tuned:
        return found
    # With other numbers than the recipe's its retrievers were measured as they are no more.
    return {name: replace(own, ranker="", weights={}) for name, own in found.items() if not own.settings}


def _holds(recipe: Recipe, now: int, published: Loaded[Blend]) -> bool:
    manifest = published.manifest
    made = round(datetime.fromisoformat(manifest.created_at).timestamp() * SECOND)
    return not published.refused and manifest.config == made_for(recipe) and 0 <= now - made < _KEPT


def _still_holding(
    recipe: Recipe, published: Loaded[Blend], before: Mapping[str, FeedBlend]
) -> dict[str, FeedBlend]:
    """Of the blends before those of feeds that were measured with the same models, too."""
    measured = published.manifest.config.get("feeds", {})
    return {name: own for name, own in before.items() if measured.get(name) == _feed_and_models(recipe, name)}


def _with_weights(recipe: Recipe, name: str, own: FeedBlend, before: FeedBlend | None) -> FeedBlend:
    """The blend with the weights that were tuned before, where none were found now and they fit."""
    if own.weights or before is None or before.ranker != ranker_of(recipe.feeds[name]):
        return own
    return replace(own, ranker=before.ranker, weights=before.weights)
