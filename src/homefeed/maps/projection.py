"""From the Earth to a flat map on which equal areas are equal, and the lines that show what is where."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson

from homefeed.geo import Degrees

Flat: TypeAlias = npt.NDArray[np.float64]

_A: Final = (1.340264, -0.081106, 0.000893, 0.003796)
_MERIDIANS: Final = range(-180, 181, 30)
_PARALLELS: Final = range(-60, 61, 30)
_STEP: Final = 3


def equal_earth(latitudes: Degrees, longitudes: Degrees) -> Flat:
    """(n, 2) x to the east, within 2.7067 of 0, and y to the north, within 1.3174; NaN where there is no place.

    The Equal Earth projection of a sphere of radius 1 (Savric, Patterson and Jenny, "The Equal Earth map
    projection", International Journal of Geographical Information Science 33, 2019).
    """
    theta = np.arcsin(np.sqrt(3) / 2 * np.sin(np.radians(latitudes)))
    square = theta * theta
    sixth = square**3
    a1, a2, a3, a4 = _A
    slope = a1 + 3 * a2 * square + sixth * (7 * a3 + 9 * a4 * square)
    x = 2 / np.sqrt(3) * np.radians(longitudes) * np.cos(theta) / slope
    y = theta * (a1 + a2 * square + sixth * (a3 + a4 * square))
    return np.stack([x, y], axis=1)


@cache
def land() -> tuple[Flat, ...]:
    """The outlines of land, each (n, 2): see NOTICE for where they come from."""
    rings = orjson.loads((resources.files(__package__) / "land.json").read_bytes())
    return tuple(_projected(np.array(ring, np.float64).reshape(-1, 2) / 10) for ring in rings)


@cache
def graticule() -> tuple[Flat, ...]:
    """Meridians and parallels 30 degrees apart, each (n, 2)."""
    return tuple(map(_projected, _lines()))


def globe() -> Flat:
    """(n, 2) the edge of the map: the antimeridian on either side."""
    north = np.arange(-90.0, 91, _STEP)
    sides = [equal_earth(north, np.full(len(north), longitude)) for longitude in (-180.0, 180.0)]
    return np.concatenate([sides[0], sides[1][::-1]])


def _lines() -> Iterator[npt.NDArray[np.float64]]:
    north, east = np.arange(-90, 91, _STEP), np.arange(-180, 181, _STEP)
    for longitude in _MERIDIANS:
        yield np.stack([np.full(len(north), longitude), north], axis=1)
    for latitude in _PARALLELS:
        yield np.stack([east, np.full(len(east), latitude)], axis=1)


def _projected(line: npt.NDArray[np.float64]) -> Flat:
    """Of longitudes and latitudes."""
    return equal_earth(line[:, 1], line[:, 0])
