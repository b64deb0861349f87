"""Retrievers that propose in place of others, whose model is not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from homefeed.extras import Extra
from homefeed.protocols import Model, NamesModel, NeedsExtra
from homefeed.recipe import FeedRecipe, PartSpec, Recipe, find_part


def can_do_without(recipe: Recipe) -> dict[str, str]:
    """The models that cannot be trained here and need not be, by name, and why.

    What they need is not installed, and wherever a feed retrieves by one, another retriever stands in for it.
    """
    return {
        spec.name: _not_installed(spec.name, extra)
        for spec in recipe.models
        if (extra := _missing(spec)) is not None and _is_stood_in_for(recipe, spec.name)
    }


def standing_in(
    recipe: Recipe, feed: FeedRecipe, models: Mapping[str, Model], why: Mapping[str, str]
) -> tuple[str, ...]:
    """The retrievers of a feed that stand in for one without a model, with the reason in words.

    `why` says of models why they are not served, where that is known.
    """
    parts = {spec.name: spec for spec in recipe.models}
    found = []
    for spec in feed.retrieve:
        model = spec.config.model if isinstance(spec.config, NamesModel) else None
        if model is None or model in models:
            continue
        extra = _missing(parts[model]) if model in parts else None
        told = f"{model} is not trained yet: homefeed train {recipe.app}"
        reason = why.get(model) or (told if extra is None else _not_installed(model, extra))
        found += [f"{other.name} ({reason})" for other in feed.retrieve if other.instead_of == spec.name]
    return tuple(found)


def _not_installed(model: str, extra: Extra) -> str:
    return f"{model} is not installed: {extra.install}"


def _missing(spec: PartSpec) -> Extra | None:
    """What a model's training needs, where that is not installed."""
    kind: object = find_part("model", spec.part)
    return kind.needs if isinstance(kind, NeedsExtra) and not kind.needs.is_installed else None


def _is_stood_in_for(recipe: Recipe, model: str) -> bool:
    stood_in = [spec.name in stand_ins for stand_ins, spec in _retrievers(recipe) if _names(spec, model)]
    return bool(stood_in) and all(stood_in)


def _retrievers(recipe: Recipe) -> Iterator[tuple[set[str | None], PartSpec]]:
    """Each of every feed, beside those of the feed that another stands in for."""
    for feed in recipe.feeds.values():
        stood_in_for = {spec.instead_of for spec in feed.retrieve}
        yield from ((stood_in_for, spec) for spec in feed.retrieve)


def _names(spec: PartSpec, model: str) -> bool:
    return isinstance(spec.config, NamesModel) and spec.config.model == model
