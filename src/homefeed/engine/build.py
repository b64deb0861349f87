"""Builds an app's feeds from its recipe, catalogue, counters and models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from homefeed.catalog import Resources
from homefeed.errors import RecipeError
from homefeed.funnel import Feed
from homefeed.policy.availability import Availability
from homefeed.policy.request import Request
from homefeed.protocols import Screen
from homefeed.recipe import FeedRecipe, Kind, PartSpec, Recipe, find_part


def build_feeds(recipe: Recipe, resources: Resources) -> dict[str, Feed]:
    """Every feed of the recipe, by name.

    Raises:
        RecipeError: a ranker weighs a feature that its feed does not have, a part's `model` is none of the
            recipe's, or a screen takes the name of one that every feed has.
    """
    feeds = {name: _feed(recipe, feed, resources) for name, feed in recipe.feeds.items()}
    return {
        name: replace(feed, cold_start=feeds[cold] if (cold := recipe.feeds[name].cold_start) else None)
        for name, feed in feeds.items()
    }


def _feed(recipe: Recipe, feed: FeedRecipe, resources: Resources) -> Feed:
    always: dict[str, Screen] = {
        "availability": Availability(Availability.Config(), resources),
        "request": Request(Request.Config(), resources),
    }
    _check_screens(recipe, feed, always)
    _check_models(recipe, feed)
    extractors = _parts("features", feed.features, resources)
    _check_weights(recipe, feed, [*(spec.name for spec in feed.retrieve), *_names(extractors)])
    retrievers = _parts("retrieve", feed.retrieve, resources)
    return Feed(
        name=feed.name,
        screens=always | _parts("screen", feed.screen, resources),
        retrievers={spec.name: (retrievers[spec.name], spec.k) for spec in feed.retrieve},
        extractors=extractors,
        ranker=_parts("rank", (feed.rank,), resources)[feed.rank.name],
        arrangers=_parts("arrange", feed.arrange, resources),
        anchored=feed.anchored,
    )


def _parts(kind: Kind, specs: tuple[PartSpec, ...], resources: Resources) -> dict[str, Any]:
    return {spec.name: find_part(kind, spec.part)(spec.config, resources) for spec in specs}


def _names(extractors: Mapping[str, Any]) -> list[str]:
    return [name for extractor in extractors.values() for name in extractor.names]


def _check_weights(recipe: Recipe, feed: FeedRecipe, features: list[str]) -> None:
    weights = getattr(feed.rank.config, "weights", {})
    for name in weights:
        if name not in features:
            raise RecipeError(
                f"{recipe.app}: feeds.{feed.name}.rank.{feed.rank.name}.weights.{name}: no such feature; "
                f"expected some of {', '.join(features)}"
            )


def _check_screens(recipe: Recipe, feed: FeedRecipe, always: Mapping[str, Screen]) -> None:
    for spec in feed.screen:
        if spec.name in always and spec.part != spec.name:
            raise RecipeError(
                f"{recipe.app}: feeds.{feed.name}.screen.{spec.name}: every feed has its own {spec.name}; "
                "choose another name"
            )


def _check_models(recipe: Recipe, feed: FeedRecipe) -> None:
    declared = [spec.name for spec in recipe.models]
    for kind, specs in (("retrieve", feed.retrieve), ("features", feed.features), ("rank", (feed.rank,))):
        for spec in specs:
            model = getattr(spec.config, "model", None)
            if isinstance(model, str) and model not in declared:
                raise RecipeError(
                    f'{recipe.app}: feeds.{feed.name}.{kind}.{spec.name}: no model "{model}"; declare it under '
                    f"[models.{model}] or name one of: {', '.join(declared) or 'none is declared'}"
                )
