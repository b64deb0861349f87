"""A marketplace to test: generated, imported, trained on and served; and the seven scores by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import httpx
import polars as pl

from homefeed.apps import find_recipe
from homefeed.environment import Environment, system_clock
from homefeed.ingest import DataReport, find_files, import_files
from homefeed.samples.marketplace.generate import generate
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train import train_app

if TYPE_CHECKING:
    from tests.conftest import StartServer

RECIPE: Final = find_recipe("marketplace")
API: Final = "/api/v1"
GENERIC: Final = "/v1/apps/marketplace"
POINTS: Final = {"apply": 10, "save": 5, "share": 3, "click": 2, "view": 1, "dismiss": -5}

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Marketplace:
    """A running server of marketplace, and what its sample's files say."""

    api: httpx.Client
    store_url: str
    home: Path
    report: DataReport

    @cached_property
    def listings(self) -> dict[str, Row]:
        """The listings as they were imported, by id."""
        return {row["listing_id"]: row for row in self._read("listings").to_dicts()}

    @cached_property
    def users(self) -> dict[str, Row]:
        """The users, by id."""
        return {row["user_uid"]: row for row in self._read("users").to_dicts()}

    @cached_property
    def interactions(self) -> pl.DataFrame:
        """Who did what."""
        return self._read("interactions")

    @cached_property
    def active(self) -> str:
        """The user with the longest history, who set no preferences."""
        counts: list[str] = self.interactions["user_uid"].value_counts(sort=True)["user_uid"].to_list()
        unset = ("blocked_tags", "max_distance_km", "preferred_compensation_min", "preferred_compensation_max")
        free = [user for user in counts if not any(self.users[user][name] for name in unset)]
        return next(user for user in free if self.users[user]["personalization_enabled"])

    def _read(self, name: str) -> pl.DataFrame:
        return pl.read_parquet(self.home / f"sample/{name}.parquet")


async def fill(store_url: str, home: Path) -> DataReport:
    """Import a small sample that ends now, and run all the jobs."""
    end = datetime.now(UTC).replace(microsecond=0)
    generate(home / "sample", users=80, items=300, events=4_000, days=20, end=end, format="parquet")
    async with open_store(store_url) as store:
        report = await import_files(store, RECIPE, find_files(home / "sample", RECIPE.sources), now=system_clock())
        await train_app(RECIPE, store, ArtifactStore(home / "models"), Environment())
    return report


@contextmanager
def serving(start_server: StartServer, store_url: str, home: Path) -> Iterator[httpx.Client]:
    """A client of a server of marketplace."""
    settings = {"apps": "marketplace", "poll_seconds": "0.1"}
    with (
        start_server(store_url, home, **settings) as server,
        httpx.Client(base_url=server.url, timeout=20) as client,
    ):
        yield client


def haversine_km(a: Row, b: Row) -> float:
    """On a sphere of radius 6,371 km."""
    lat1, lat2 = math.radians(a["latitude"]), math.radians(b["latitude"])
    half_lat, half_lon = (lat2 - lat1) / 2, math.radians(b["longitude"] - a["longitude"]) / 2
    chord = math.sin(half_lat) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin(half_lon) ** 2
    return 2 * 6_371 * math.asin(math.sqrt(chord))


def location(user: Row, listing: Row) -> float:
    """exp(-distance_km / (max_distance_km / 3))."""
    reach = user.get("max_distance_km") or 50
    return math.exp(-haversine_km(user, listing) / (reach / 3))


def tags(user: Row, listing: Row) -> float:
    """Jaccard similarity."""
    mine = {*(user.get("interests") or ()), *(user.get("preferred_tags") or ())}
    theirs = set(listing["tags"] or ())
    return len(mine & theirs) / len(mine | theirs) if mine | theirs else 0.0


def engagement(interactions: pl.DataFrame) -> dict[str, float]:
    """10 x ln(1 + max(raw, 0)), by listing."""
    points = interactions.with_columns(points=pl.col("interaction_type").replace_strict(POINTS))
    raw = points.group_by("listing_id").agg(pl.col("points").sum())
    return {row["listing_id"]: 10 * math.log1p(max(row["points"], 0)) for row in raw.to_dicts()}


def recency(listing: Row, now: datetime) -> float:
    """exp(-age_days / 10), x 1.5 for what is under 24 hours old, no more than 1."""
    days = (now - datetime.fromisoformat(listing["created_at"])).total_seconds() / 86_400
    return min(math.exp(-days / 10) * (1.5 if days < 1 else 1.0), 1.0)


def poster_quality(listing: Row, mean: float) -> float:
    """The rating shrunk toward the mean by the completed count, from 0 to 1."""
    rating, count = listing["poster_rating"], listing["poster_completed_count"] or 0
    return (mean if rating is None else (count * rating + 10 * mean) / (count + 10)) / 5
