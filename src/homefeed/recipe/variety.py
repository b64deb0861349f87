"""What an app's lists can vary in: where items are, and what they are."""

from __future__ import annotations

from homefeed.protocols import NamesPlaces
from homefeed.recipe.loading import Recipe


def place_name(recipe: Recipe) -> str | None:
    """The category field of items that names where they are, such as a city, as far as a retriever goes by one."""
    configs = (spec.config for feed in recipe.feeds.values() for spec in feed.retrieve)
    names = (config.place_name for config in configs if isinstance(config, NamesPlaces))
    return next(filter(None, names), None)


def varied_fields(recipe: Recipe) -> tuple[str, ...]:
    """The category fields whose different values in a list are counted: of places, and of `signals.full_group`."""
    return tuple(dict.fromkeys(filter(None, (place_name(recipe), recipe.signals.full_group))))
