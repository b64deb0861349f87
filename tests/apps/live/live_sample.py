"""Live streams to test: generated, imported, trained on and served; and the contract's score by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import httpx
import polars as pl
from geographiclib.geodesic import Geodesic

from homefeed.apps import find_recipe
from homefeed.environment import Environment, system_clock
from homefeed.ingest import DataReport, find_files, import_files
from homefeed.samples.live.generate import generate
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train import train_app

if TYPE_CHECKING:
    from tests.conftest import StartServer

RECIPE: Final = find_recipe("live")
HOMETOWN, HOME_FEED = "/v1/scenarios/hometown", "/v1/scenarios/home_feed"
CATEGORY_FEED, STATUSES = "/v1/scenarios/category_feed", "/v1/scenarios/streams/status"
GENERIC: Final = "/v1/apps/live"
START_KM, ENOUGH = 25, 10

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Live:
    """A running server of live, and what its sample's files say."""

    api: httpx.Client
    store_url: str
    home: Path
    report: DataReport

    @cached_property
    def streams(self) -> dict[str, Row]:
        """The streams as they were imported, by id."""
        return {row["stream_id"]: row for row in pl.read_parquet(self.home / "sample/streams.parquet").to_dicts()}

    @cached_property
    def users(self) -> dict[str, Row]:
        """The users, by id."""
        return {row["user_id"]: row for row in pl.read_parquet(self.home / "sample/users.parquet").to_dicts()}

    @cached_property
    def interactions(self) -> pl.DataFrame:
        """Who watched what."""
        return pl.read_parquet(self.home / "sample/interactions.parquet")


async def fill(store_url: str, home: Path) -> DataReport:
    """Import a small sample and train on it, but for the ranker."""
    generate(home / "sample", users=60, items=80, events=1_500, clicks=20, days=10)
    async with open_store(store_url) as store:
        report = await import_files(store, RECIPE, find_files(home / "sample", RECIPE.sources), now=system_clock())
        trained = ["signals", "item_item"]
        await train_app(RECIPE, store, ArtifactStore(home / "models"), Environment(), models=trained)
    return report


@contextmanager
def serving(start_server: StartServer, store_url: str, home: Path) -> Iterator[httpx.Client]:
    """A client of a server of live."""
    settings = {"apps": "live", "poll_seconds": "0.1"}
    with (
        start_server(store_url, home, **settings) as server,
        httpx.Client(base_url=server.url, timeout=20) as client,
    ):
        yield client


def kilometres(user: Row, stream: Row) -> float:
    """Along the WGS 84 ellipsoid, by geographiclib."""
    ends = (user["latitude"], user["longitude"], stream["latitude"], stream["longitude"])
    return float(Geodesic.WGS84.Inverse(*ends)["s12"]) / 1_000


def score(user: Row, stream: Row, km: float | None) -> float:
    """The contract's, term by term, without a click model."""
    proximity = 0 if km is None else 1 / (1 + km)
    quality = stream["stream_quality_score"] / 10
    language = 2.0 * (stream["language"] == user.get("language"))
    category = 1.5 * (stream["category_id"] in user.get("preferred_categories", ()))
    audience = min(math.log1p(stream["viewer_count"]) / math.log1p(10_000), 1)
    strength = user.get("local_preference_strength", 0)
    base: float = quality + language + category + audience
    return 1.5 * proximity * float(1 + strength) + 1.0 * base


def by_hand(user: Row, streams: Mapping[str, Row], n: int) -> list[tuple[str, float]]:
    """The n best and their scores, of the streams within the first radius that has enough of them."""
    kms = {stream_id: kilometres(user, stream) for stream_id, stream in streams.items()}
    enough = sorted(kms.values())[min(max(n, ENOUGH), len(kms)) - 1]
    radius = START_KM * 2 ** max(0, math.ceil(math.log2(enough / START_KM)))
    near = {stream_id: score(user, streams[stream_id], km) for stream_id, km in kms.items() if km <= radius}
    return sorted(near.items(), key=lambda found: -found[1])[:n]
