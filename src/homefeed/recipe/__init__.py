"""A recipe: an app's data, models and feeds declared in TOML, validated to the last key."""

from homefeed.recipe.base import Kind
from homefeed.recipe.declaration import (
    BLEND,
    EXPOSURES,
    SIGNALS,
    TRENDING,
    Declarations,
    EventType,
    Goal,
    Job,
    Signals,
)
from homefeed.recipe.entities import Entity, ItemEntity, UserEntity
from homefeed.recipe.feeds import Feed, FeedSettings, PartUse, RetrieverUse
from homefeed.recipe.jobs import JobSpec
from homefeed.recipe.loading import FeedRecipe, PartSpec, Recipe, load_recipe, parse_recipe
from homefeed.recipe.parts import find_part, part_names
from homefeed.recipe.sources import Column, Source, Sources

__all__ = [
    "BLEND",
    "EXPOSURES",
    "SIGNALS",
    "TRENDING",
    "Column",
    "Declarations",
    "Entity",
    "EventType",
    "Feed",
    "FeedRecipe",
    "FeedSettings",
    "Goal",
    "ItemEntity",
    "Job",
    "JobSpec",
    "Kind",
    "PartSpec",
    "PartUse",
    "Recipe",
    "RetrieverUse",
    "Signals",
    "Source",
    "Sources",
    "UserEntity",
    "find_part",
    "load_recipe",
    "parse_recipe",
    "part_names",
]
