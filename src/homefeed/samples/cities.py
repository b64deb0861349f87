"""The cities of the samples, from GeoNames (see NOTICE), points around them, and how far apart these are.

Coordinates are degrees of WGS 84.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from homefeed.samples import Rng, Weights, choose
from homefeed.types import Codes

_TABLE: Final = Path(__file__).with_name("cities.csv")
_EQUATOR_KM: Final = 6378.137
_FLATTENING: Final = 1 / 298.257223563
_DEGREE_KM: Final = 111.2
_SPREAD_KM: Final = 9.0
_FARTHEST_KM: Final = 80.0
_DECIMALS: Final = 5  # about a metre


@dataclass(frozen=True)
class Cities:
    """The cities as columns.

    `offset` (cities,) is the local time less that of UTC, in seconds; `speaks` (cities, languages) holds the share
    of each of the `languages`; `people` and `streams` (cities,) how likely a user or a stream is from there.
    """

    name: tuple[str, ...]
    languages: tuple[str, ...]
    speaks: Weights
    latitude: Weights
    longitude: Weights
    offset: Codes
    people: Weights
    streams: Weights


@dataclass(frozen=True)
class Places:
    """Where users or streams are: the row of the city, and the point, (n,) each."""

    city: Codes
    latitude: Weights
    longitude: Weights

    def take(self, rows: Codes) -> Places:
        """Some of the places."""
        return Places(self.city[rows], self.latitude[rows], self.longitude[rows])


@cache
def load_cities() -> Cities:
    """The cities of the package."""
    table = pl.read_csv(_TABLE)
    shares = [
        {code: float(share or 1) for code, _, share in (part.partition(":") for part in text.split("|"))}
        for text in table["languages"]
    ]
    languages = tuple(sorted({code for share in shares for code in share}))
    speaks = np.array([[share.get(code, 0.0) for code in languages] for share in shares])
    people = np.sqrt(table["population"].to_numpy())
    return Cities(
        name=tuple(table["city"]),
        languages=languages,
        speaks=speaks / speaks.sum(axis=1, keepdims=True),
        latitude=table["latitude"].to_numpy(),
        longitude=table["longitude"].to_numpy(),
        offset=(table["utc_offset_hours"].cast(pl.Float64).to_numpy() * 3_600).astype(np.int32),
        people=people,
        streams=people * table["hub"].to_numpy(),
    )


def settle(city: Codes, rng: Rng) -> Places:
    """A point for each, around the middle of its city: fewer the farther out, none beyond `_FARTHEST_KM`."""
    cities = load_cities()
    away = np.minimum(rng.exponential(_SPREAD_KM, len(city)), _FARTHEST_KM) / _DEGREE_KM
    bearing = rng.random(len(city)) * 2 * np.pi
    latitude = cities.latitude[city] + away * np.cos(bearing)
    longitude = cities.longitude[city] + away * np.sin(bearing) / np.cos(np.radians(latitude))
    return Places(city, latitude.round(_DECIMALS), longitude.round(_DECIMALS))


def draw_cities(weights: Weights, count: int, rng: Rng) -> Codes:
    """(count,) rows of cities by weight, in random order; none is left out where there are enough to go round."""
    city = choose(weights, count, rng)
    if count >= len(weights):
        city[rng.permutation(count)[: len(weights)]] = np.arange(len(weights))
    return city


def draw_languages(city: Codes, rng: Rng) -> Codes:
    """(n,) a language for each, as it is spoken in the city."""
    reach = np.cumsum(load_cities().speaks, axis=1)
    roll = rng.random((len(city), 1)) * reach[city, -1:]
    spoken: Codes = (roll >= reach[city]).sum(axis=1, dtype=np.int32)
    return spoken


def distance_km(one: Places, other: Places) -> Weights:
    """Kilometres between points (n,) along the ellipsoid: Lambert's formula for long lines, of 1942."""
    first, second = (np.arctan((1 - _FLATTENING) * np.tan(np.radians(at.latitude))) for at in (one, other))
    mean, half = (first + second) / 2, (second - first) / 2
    turned = np.sin(np.radians(other.longitude - one.longitude) / 2) ** 2
    haversine = np.clip(np.sin(half) ** 2 + np.cos(first) * np.cos(second) * turned, 0.0, 1.0)
    angle = 2 * np.arcsin(np.sqrt(haversine))
    # Of one point, and of its antipode, the corrections are nothing over nothing.
    beyond = (angle - np.sin(angle)) * (np.sin(mean) * np.cos(half)) ** 2 / np.maximum(1 - haversine, 1e-12)
    within = (angle + np.sin(angle)) * (np.cos(mean) * np.sin(half)) ** 2 / np.maximum(haversine, 1e-12)
    distance: Weights = _EQUATOR_KM * (angle - _FLATTENING / 2 * (beyond + within))
    return distance
