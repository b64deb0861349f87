"""Where people and listings of the sample are: neighbourhoods of a few cities, and points around their middles.

Coordinates are degrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from homefeed.samples import Rng, Rows, Weights, choose
from homefeed.samples.cities import load_cities, settle
from homefeed.types import Codes, Mask, Times

CITIES: Final = ("Mumbai", "London", "New York City", "São Paulo")
EARTH_RADIUS_KM: Final = 6_371.0
"""The radius of the contract."""

_NEIGHBOURHOODS: Final = 12
"""Of each city; the second has half as many people as the first, the third a third, and so on."""
_DEGREE_KM: Final = 111.195
_SPREAD_KM: Final = 0.8
_DECIMALS: Final = 5  # about a metre


@dataclass(frozen=True)
class Neighbourhoods:
    """Neighbourhoods as columns: the number of their city, their middle, how many live there for each other."""

    city: Codes
    latitude: Weights
    longitude: Weights
    people: Weights


@dataclass(frozen=True)
class Spots:
    """Points (n,): the number of the neighbourhood and of its city, and the coordinates."""

    neighbourhood: Codes
    city: Codes
    latitude: Weights
    longitude: Weights

    def take(self, rows: Codes | Rows | Mask) -> Spots:
        """Some of them."""
        return Spots(self.neighbourhood[rows], self.city[rows], self.latitude[rows], self.longitude[rows])


def plan_neighbourhoods(rng: Rng) -> Neighbourhoods:
    """The neighbourhoods of all `CITIES`, more of them near the middle."""
    cities = load_cities()
    known = np.array([cities.name.index(name) for name in CITIES], np.int32)
    middles = settle(np.repeat(known, _NEIGHBOURHOODS), rng)
    share = 1 / np.arange(1.0, _NEIGHBOURHOODS + 1)
    return Neighbourhoods(
        city=np.repeat(np.arange(len(CITIES), dtype=np.int32), _NEIGHBOURHOODS),
        latitude=middles.latitude,
        longitude=middles.longitude,
        people=(cities.people[known][:, None] * share).ravel(),
    )


def city_offsets() -> Times:
    """(cities,) the local time of `CITIES` less that of UTC, in seconds."""
    cities = load_cities()
    return np.array([cities.offset[cities.name.index(name)] for name in CITIES], np.int64)


def draw_spots(neighbourhoods: Neighbourhoods, count: int, rng: Rng) -> Spots:
    """Points in neighbourhoods by how many live there."""
    chosen = choose(neighbourhoods.people, count, rng)
    middles = neighbourhoods.latitude[chosen], neighbourhoods.longitude[chosen]
    return Spots(chosen, neighbourhoods.city[chosen], *scatter(*middles, _SPREAD_KM, rng))


def scatter(latitude: Weights, longitude: Weights, spread_km: float, rng: Rng) -> tuple[Weights, Weights]:
    """Points around points: normal in each direction, `spread_km` the standard deviation."""
    north, east = rng.normal(0.0, spread_km / _DEGREE_KM, (2, len(latitude)))
    moved = longitude + east / np.cos(np.radians(latitude))
    return (latitude + north).round(_DECIMALS), moved.round(_DECIMALS)


def haversine_km(one: Spots, other: Spots) -> Weights:
    """(n,) kilometres between points along a great circle of the contract's sphere."""
    first, second = np.radians(one.latitude), np.radians(other.latitude)
    turned: npt.NDArray[np.float64] = np.sin(np.radians(other.longitude - one.longitude) / 2) ** 2
    half = np.sin((second - first) / 2) ** 2 + np.cos(first) * np.cos(second) * turned
    distance: Weights = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(half, 1.0)))
    return distance
