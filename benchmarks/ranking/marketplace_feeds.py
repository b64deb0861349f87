"""The marketplace's feeds with one thing changed each: a signal taken out, or one order alone, as rivals have it.

All keep the filters of the feed that they are made of, so that they choose from the same listings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from homefeed.recipe import Recipe
from homefeed.recipe.loading import FeedRecipe, PartSpec
from homefeed.retrieve.fresh import Fresh
from homefeed.retrieve.nearby import Nearby
from homefeed.retrieve.popular import Popular

SIGNALS: Final = {
    "location": "distance_decay",
    "tags": "tag_jaccard",
    "engagement": "engagement",
    "recency": "recency",
    "poster quality": "creator_quality",
    "collaborative": "collaborative_score",
    "content": "content_taste",
}
"""The feature of each signal."""
RIVALS: Final = ("popular", "popular near", "nearest", "newest", "newest near")
NEAR_KM: Final = 50.0
"""How far the rivals that are near go for users who have set no limit."""
WITHOUT: Final = "without "

_K: Final = 2_000


def with_variants(recipe: Recipe) -> tuple[Recipe, dict[str, dict[str, str]]]:
    """The recipe with the variants of `feed` and of `new_user`; by each of the two, by system, the feed's name."""
    feeds, names = dict(recipe.feeds), dict[str, dict[str, str]]()
    for base in ("feed", "new_user"):
        made = variants(recipe.feeds[base])
        names[base] = {system: f"{base}_{system.replace(' ', '_')}" for system in made}
        feeds |= {names[base][system]: replace(feed, name=names[base][system]) for system, feed in made.items()}
    return replace(recipe, feeds=feeds), names


def variants(feed: FeedRecipe) -> dict[str, FeedRecipe]:
    """`all` is the formula without exploration and diversity; `without X`, the same less one of its signals."""
    plain = replace(feed, settings=feed.settings.model_copy(update={"cold_start": None}), rerank=(), learned=None)
    weights: Mapping[str, float] = vars(feed.rank.config)["weights"]
    less = {
        WITHOUT + signal: _weighing(plain, {name: w for name, w in weights.items() if name != feature})
        for signal, feature in SIGNALS.items()
        if feature in weights
    }
    popular = _alone(plain, PartSpec("popular", "popular", Popular.Config(), _K), {"popular": 1.0})
    nearest = _alone(plain, PartSpec("nearby", "nearby", Nearby.Config(), _K), {"distance_decay": 1.0})
    fresh = PartSpec("fresh", "fresh", Fresh.Config(max_age_days=10_000), _K)
    newest = _alone(_changed(plain, "features", "recency", boost=1.0), fresh, {"recency": 1.0})
    rivals = (popular, _near(popular), nearest, newest, _near(newest))
    return {"all": plain, **less, **dict(zip(RIVALS, rivals, strict=True))}


def _alone(feed: FeedRecipe, retriever: PartSpec, weights: Mapping[str, float]) -> FeedRecipe:
    return _weighing(replace(feed, retrieve=(retriever,)), weights, with_proposals=False)


def _weighing(feed: FeedRecipe, weights: Mapping[str, float], with_proposals: bool = True) -> FeedRecipe:
    config = feed.rank.config.model_copy(update={"weights": dict(weights), "fixed": ()})
    features = tuple(spec for spec in feed.features if with_proposals or spec.part != "proposals")
    return replace(feed, rank=replace(feed.rank, config=config), features=features)


def _near(feed: FeedRecipe) -> FeedRecipe:
    return _changed(feed, "filter", "within_km", km=NEAR_KM)


def _changed(feed: FeedRecipe, kind: Literal["filter", "features"], part: str, **settings: Any) -> FeedRecipe:
    """The feed with other settings of one of its features or filters."""
    if kind == "filter":
        return replace(feed, filter=_set(feed.filter, part, settings))
    return replace(feed, features=_set(feed.features, part, settings))


def _set(specs: tuple[PartSpec, ...], part: str, settings: Mapping[str, Any]) -> tuple[PartSpec, ...]:
    return tuple(
        replace(spec, config=spec.config.model_copy(update=settings)) if spec.part == part else spec
        for spec in specs
    )
