"""Places on the Earth: checked, read from text and JSON, and how far apart they are, by geodesics on WGS 84.

Latitudes and longitudes are degrees, arrays of them float64, NaN where there is no place. Distances are
kilometres.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.errors import InvalidError
from homefeed.kernels import BOOL, F64, compiled, kernel, reads, writes

Degrees: TypeAlias = npt.NDArray[np.float64]
Kilometres: TypeAlias = npt.NDArray[np.float64]
UnitVectors: TypeAlias = npt.NDArray[np.float64]

EQUATOR_RADIUS_KM: Final = 6_378.137
"""The radius of the equator of WGS 84."""
FLATTENING: Final = 1 / 298.257223563
"""By how much of it the poles are nearer to the centre."""
MIN_RADIUS_KM: Final = EQUATOR_RADIUS_KM * (1 - 2 * FLATTENING)
"""No two places are nearer, by `distances_km`, than the angle between their unit vectors times this."""
MAX_RADIUS_KM: Final = EQUATOR_RADIUS_KM * (1 + FLATTENING)
"""No two places are farther apart than that angle times this."""
FARTHEST_KM: Final = 20_100.0
"""No two places are farther apart, so no radius above it says anything."""

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_ROUNDING: Final = 1e-9
_ROUNDING_OF_VECTORS: Final = 1e-15


@dataclass(frozen=True, slots=True)
class Place:
    """A point on the Earth: latitude from -90 to 90, longitude from -180 to 180.

    Raises:
        InvalidError: one of them is not in its range, or not finite.
    """

    latitude: float
    longitude: float

    def __post_init__(self) -> None:
        if not -90 <= self.latitude <= 90:
            raise InvalidError(f"latitude: expected degrees from -90 to 90, got {self.latitude!r:.80}")
        if not -180 <= self.longitude <= 180:
            raise InvalidError(f"longitude: expected degrees from -180 to 180, got {self.longitude!r:.80}")

    @classmethod
    def read(cls, value: Any) -> Self:
        """A place of a text such as `48.85,2.35`, of such a list, or of an object `latitude` and `longitude`.

        Raises:
            InvalidError: it is none of these, or out of range.
        """
        return value if isinstance(value, cls) else cls(*read_coordinates(value))

    def to_json(self) -> dict[str, float]:
        """As attributes of items and users hold it: `read` reads it."""
        return {"latitude": self.latitude, "longitude": self.longitude}

    @property
    def unit_vector(self) -> UnitVectors:
        """(3,) see `unit_vectors`."""
        vector: UnitVectors = unit_vectors(np.array([self.latitude]), np.array([self.longitude]))[0]
        return vector

    def __str__(self) -> str:
        return f"{self.latitude:.15g},{self.longitude:.15g}"


def read_coordinates(value: Any) -> tuple[float, float]:
    """Latitude and longitude as `Place.read` reads them: numbers, wherever they lie.

    Raises:
        InvalidError: they are no two numbers.
    """
    parts = value
    if isinstance(value, str):
        parts = value.split(",")
    elif isinstance(value, Mapping) and value.keys() == {"latitude", "longitude"}:
        parts = value["latitude"], value["longitude"]
    if not isinstance(parts, list | tuple) or len(parts) != 2:
        raise InvalidError(f'expected a place such as "48.85,2.35": latitude, longitude; got {value!r:.80}')
    return _degrees("latitude", parts[0]), _degrees("longitude", parts[1])


def _degrees(name: str, value: Any) -> float:
    told = math.nan
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number or (isinstance(value, str) and _NUMBER.fullmatch(value.strip())):
        with suppress(OverflowError):
            told = float(value)
    if not math.isfinite(told):
        raise InvalidError(f"{name}: expected degrees, got {value!r:.80}")
    return told


def unit_vectors(latitudes: Degrees, longitudes: Degrees) -> UnitVectors:
    """(n, 3) the directions of places on a sphere: (1, 0, 0) is 0 N 0 E, (0, 1, 0) 90 E, (0, 0, 1) the north pole.

    A row is NaN where there is no place.
    """
    found: UnitVectors = _unit_vectors(
        np.ascontiguousarray(latitudes, np.float64), np.ascontiguousarray(longitudes, np.float64)
    )
    return found


def distances_km(place: Place, latitudes: Degrees, longitudes: Degrees) -> Kilometres:
    """(n,) how far places are from one, along the WGS 84 ellipsoid; NaN where there is no place.

    The first-order formula of Andoyer (1932; Meeus, Astronomical Algorithms, chapter 11): right to 0.01 %, and to
    0.2 % for places almost opposite each other. 0 for equal places.
    """
    return distances_between(place, unit_vectors(latitudes, longitudes))


def distances_between(place: Place, vectors: UnitVectors) -> Kilometres:
    """The same of places whose `unit_vectors` (n, 3) are at hand, in a fifth of the time."""
    found: Kilometres = _distances(place.unit_vector, np.ascontiguousarray(vectors, np.float64))
    return found


def distance_km(one: Place, other: Place) -> float:
    """How far two places are apart; see `distances_km`."""
    return float(distances_between(one, other.unit_vector[None])[0])


def format_km(km: float) -> str:
    """A distance in words: `0.4 km`, `2 km`, `1,234 km`; below 10 km to a tenth, else to a kilometre."""
    return f"{km:,.1f}".removesuffix(".0") + " km" if km < 9.95 else f"{km:,.0f} km"


def within_km(place: Place, km: float, vectors: UnitVectors) -> npt.NDArray[np.bool_]:
    """(n,) which places of `unit_vectors` (n, 3) are not farther than `km`, above 0, from one.

    One without a place never is. `distances_between` is asked only of those near the edge.
    """
    found: npt.NDArray[np.bool_] = _within(place.unit_vector, km, np.ascontiguousarray(vectors, np.float64))
    return found


@compiled
def geodesic_km(one: UnitVectors, others: UnitVectors, row: int) -> float:
    """How far the place of a row (rows, 3) is from that of one vector (3,), for loops that are compiled.

    Half the angle between them, F and G of the formula are those of `distances_km`: sin F cos G is half the sum of
    the sines of the latitudes, which are the third coordinates, and cos F sin G half their difference.
    """
    apart = together = 0.0
    for axis in range(3):
        apart += (others[row, axis] - one[axis]) ** 2
        together += (others[row, axis] + one[axis]) ** 2
    if apart == 0.0:
        return 0.0
    half = math.atan2(math.sqrt(apart), math.sqrt(together))
    ratio = 0.75 * math.sqrt(apart * together) / half
    north = (others[row, 2] + one[2]) ** 2 / together if together > 0.0 else 0.0
    longer, shorter = (ratio - 1) * north, (ratio + 1) * (others[row, 2] - one[2]) ** 2 / apart
    km: float = 2 * half * EQUATOR_RADIUS_KM * (1 + FLATTENING * (longer - shorter) / 2)
    return km


@compiled
def squared_chord(angle: float) -> float:
    """Between the unit vectors at an angle."""
    return 4 * math.sin(min(angle, math.pi) / 2) ** 2


@compiled
def chords_of(km: float) -> tuple[float, float]:
    """The squared chord below which no places are farther apart than `km`, and that above which all are."""
    surely, never = squared_chord(km / MAX_RADIUS_KM), squared_chord(km / MIN_RADIUS_KM)
    return surely * (1 - _ROUNDING), never * (1 + _ROUNDING) + _ROUNDING_OF_VECTORS**2


@kernel(writes(F64, 2), reads(F64), reads(F64))
def _unit_vectors(latitudes: Degrees, longitudes: Degrees) -> UnitVectors:
    found = np.empty((len(latitudes), 3), np.float64)
    for row in range(len(found)):
        north, east = math.radians(latitudes[row]), math.radians(longitudes[row])
        level = math.cos(north)
        found[row, 0], found[row, 1], found[row, 2] = (
            level * math.cos(east),
            level * math.sin(east),
            math.sin(north),
        )
    return found


@kernel(writes(F64), reads(F64), reads(F64, 2))
def _distances(vector: UnitVectors, vectors: UnitVectors) -> Kilometres:
    found = np.empty(len(vectors), np.float64)
    for row in range(len(found)):
        found[row] = geodesic_km(vector, vectors, row)
    return found


@kernel(writes(BOOL), reads(F64), F64, reads(F64, 2))
def _within(vector: UnitVectors, km: float, vectors: UnitVectors) -> npt.NDArray[np.bool_]:
    surely, never = chords_of(km)
    found = np.zeros(len(vectors), np.bool_)
    for row in range(len(found)):
        chord = 0.0
        for axis in range(3):
            chord += (vectors[row, axis] - vector[axis]) ** 2
        found[row] = chord < surely or (chord <= never and geodesic_km(vector, vectors, row) <= km)
    return found
