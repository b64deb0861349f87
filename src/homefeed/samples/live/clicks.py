"""Streams shown to users, the features of each pair, and whether the user clicked."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from homefeed.samples import Rng, Weights
from homefeed.samples.cities import distance_km
from homefeed.samples.live.affinity import affinity
from homefeed.samples.live.streams import Guide, Streams
from homefeed.samples.live.viewers import Viewers
from homefeed.samples.live.watching import OFFERED, World, offer
from homefeed.types import Codes, Mask

FEATURES: Final = (
    "distance_km", "proximity_boost", "is_local_match", "is_regional_match", "same_city", "same_language",
    "user_local_preference", "user_total_watch_hours", "stream_quality_score", "stream_avg_viewers",
    "creator_followers", "is_partnered", "mature_content", "category_match",
)  # fmt: skip
"""The features, in the order of the contract."""

LOCAL_KM: Final = 100
REGIONAL_KM: Final = 1_000
"""Up to these distances a stream is a local match, and a regional one."""

INTERCEPT: Final = -8.8
SLOPE: Final = 1.8
"""The log-odds of a click are the intercept and the slope times the affinity of the pair."""


def draw_clicks(world: World, count: int, rng: Rng) -> tuple[pl.DataFrame, Weights]:
    """Streams shown to users: rows of each pair, its features and `clicked`, 0 or 1; and how likely that was."""
    viewers, streams = world.viewers, world.streams
    user = rng.integers(0, len(viewers.local), count, dtype=np.int32)
    guide, once = Guide.of(streams, world.begin, world.end), dict.fromkeys(OFFERED, 1)
    offered = offer(world.viewers, guide, once, user, np.full(count, world.end), rng)
    item = offered[np.arange(count), rng.integers(0, offered.shape[1], count)]
    anything = rng.integers(0, len(streams.appeal), count, dtype=np.int32)
    item = np.where(item < 0, anything, item)
    likely: Weights = 1 / (1 + np.exp(-INTERCEPT - SLOPE * affinity(viewers, streams, user, item)))
    clicked = (rng.random(count) < likely).astype(np.int8)
    features = click_features(viewers, streams, user, item)
    return pl.DataFrame({"user": user, "item": item, **features, "clicked": clicked}), likely


def click_features(viewers: Viewers, streams: Streams, user: Codes, item: Codes) -> dict[str, pl.Series]:
    """The 14 features of the contract for pairs (n,); what is yes or no is 1 or 0."""
    distance = distance_km(viewers.at.take(user), streams.at.take(item)).round(3)
    yes_or_no: dict[str, Mask] = {
        "is_local_match": distance <= LOCAL_KM,
        "is_regional_match": distance <= REGIONAL_KM,
        "same_city": viewers.at.city[user] == streams.at.city[item],
        "same_language": viewers.language[user] == streams.language[item],
        "is_partnered": streams.partnered[item],
        "mature_content": streams.mature[item],
        "category_match": viewers.told[user, streams.category[item]],
    }
    flags = {name: pl.Series(values.astype(np.int8)) for name, values in yes_or_no.items()}
    numbers = {
        "distance_km": distance,
        "proximity_boost": (1 / (1 + distance)).round(6),
        "user_local_preference": viewers.local[user],
        "user_total_watch_hours": viewers.hours[user],
        "stream_quality_score": streams.quality[item],
        "stream_avg_viewers": streams.audience[item],
        "creator_followers": streams.followers[item],
    }
    found = flags | {name: pl.Series(values) for name, values in numbers.items()}
    return {name: found[name] for name in FEATURES}
