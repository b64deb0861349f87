"""A recipe with the 14 features of the live app's click samples declared, and such a sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from homefeed.geo import Place
from homefeed.labelled import PairFeature
from homefeed.samples.live.generate import generate
from homefeed.testing import World, make_world, toy_item
from homefeed.types import Query

DECLARED: Final[Mapping[str, Mapping[str, Any]]] = {
    "distance_km": {"distance": "km", "log": True},
    "proximity_boost": {"distance": "proximity"},
    "is_local_match": {"within_km": 100},
    "is_regional_match": {"within_km": 1_000},
    "same_city": {"item": "city", "user": "city"},
    "same_language": {"item": "language", "user": "language"},
    "user_local_preference": {"user": "local_preference_strength"},
    "user_total_watch_hours": {"user": "total_watch_hours", "log": True},
    "stream_quality_score": {"item": "stream_quality_score"},
    "stream_avg_viewers": {"item": "avg_viewer_count", "log": True},
    "creator_followers": {"item": "creator_followers", "log": True},
    "is_partnered": {"item": "is_partnered", "equals": "true"},
    "mature_content": {"item": "mature_content", "equals": "true"},
    "category_match": {"item": "category_id", "user": "preferred_categories"},
}

RECIPE: Final[Mapping[str, Any]] = {
    "app": "near",
    "items": {
        "fields": {
            "title": "text",
            "location": "location",
            "city": "category",
            "language": "category",
            "category_id": "category",
            "stream_quality_score": "number",
            "avg_viewer_count": "number",
            "creator_followers": "number",
            "is_partnered": "category",
            "mature_content": "category",
        }
    },
    "users": {
        "fields": {
            "location": "location",
            "city": "category",
            "language": "category",
            "preferred_categories": "tags",
            "local_preference_strength": "number",
            "total_watch_hours": "number",
        }
    },
    "events": {"play": {}},
    "models": {"click_probability": {"features": DECLARED}},
    "feeds": {
        "home": {
            "retrieve": {"popular": {}, "nearby": {}},
            "features": {"click_probability": {}},
            "rank": {"weighted": {"weights": {"nearby": 1.0, "click_probability": 0.5}}},
        }
    },
}

PAIR_FEATURES: Final = {name: PairFeature.model_validate(declared) for name, declared in DECLARED.items()}


@dataclass(frozen=True)
class LiveSample:
    """The files of a sample, read."""

    users: pl.DataFrame
    streams: pl.DataFrame
    clicks: pl.DataFrame

    @classmethod
    def of(cls, folder: Path, **options: int) -> LiveSample:
        """A sample of the live app, written to a folder."""
        generate(folder, **{"users": 30, "items": 50, "events": 50, "clicks": 400} | options)  # type: ignore[arg-type]
        names = ("users", "streams", "click_samples")
        return cls(*(pl.read_parquet(folder / f"{name}.parquet") for name in names))

    def world(self) -> World:
        """The streams as a catalogue."""
        rows = self.streams.drop("stream_id", "latitude", "longitude").rows(named=True)
        at = self.streams.select("latitude", "longitude").rows()
        named = zip(self.streams["stream_id"], rows, at, strict=True)
        items = [
            toy_item(n, stream, 1, location=list(where), **row) for n, (stream, row, where) in enumerate(named)
        ]
        return make_world(items, (), declared=RECIPE)

    def query(self, world: World, user_id: str) -> Query:
        """A request of a user, from where they are."""
        (row,) = self.users.filter(pl.col("user_id") == user_id).rows(named=True)
        return world.query(user_id, attributes=row, place=Place(row["latitude"], row["longitude"]))
