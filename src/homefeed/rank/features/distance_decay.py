"""How near an item is, by how far the user is willing to go."""

from __future__ import annotations

import math
from typing import Annotated, Final

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.geo import FARTHEST_KM, Degrees
from homefeed.kernels import F32, F64, kernel, reads, writes
from homefeed.numerals import read_number
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Floats, Query

EARTH_RADIUS_KM: Final = 6_371.0
"""Of the sphere on which this distance is measured."""


class DistanceDecay:
    """How near the item is to the place of the request, or else of the user, from 0 to 1: e^(-distance_km / (reach
    / `scales`)), where the reach is how far the user is willing to go. At a reach of 30 km what is 10 km away has
    0.37, what is 30 km away 0.05.

    The distance is by the haversine formula (Sinnott, "Virtues of the Haversine", Sky and Telescope 1984) on a
    sphere of radius 6,371 km. 0 where the place of one of them is not known.
    """

    class Config(PartConfig):
        field: str | None = None
        """The location field of items, whose name and `_` then begin the name of the feature; none: the field that
        says where items are."""
        reach_km: Annotated[float, Field(gt=0, le=FARTHEST_KM)] = 50.0
        """How far users are willing to go."""
        user_field: str | None = None
        """The attribute of users that holds their own reach in km, such as `max_distance_km`, which then counts
        instead; `reach_km` counts for those who have none above 0. None: for all."""
        scales: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 3.0
        """How many times the feature falls by e within the reach."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such location field."""
        self._config, self._catalog = config, resources.catalog
        self._column = resources.catalog.located(config.field)
        self.names = ("distance_decay" if config.field is None else f"{config.field}_distance_decay",)

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 1) from 0 to 1."""
        if query.place is None:
            return np.zeros((len(candidates), 1), np.float32)
        size, positions = self._catalog.size, candidates.positions
        latitudes, longitudes = self._column.latitudes(size)[positions], self._column.longitudes(size)[positions]
        place, scale = query.place, self._reach(query) / self._config.scales
        return _decayed(place.latitude, place.longitude, latitudes, longitudes, scale)

    def _reach(self, query: Query) -> float:
        field = self._config.user_field
        own = None if field is None else read_number(query.user.attributes.get(field))
        return self._config.reach_km if own is None or own <= 0 else min(own, FARTHEST_KM)


@kernel(writes(F32, 2), F64, F64, reads(F64), reads(F64), F64)
def _decayed(latitude: float, longitude: float, latitudes: Degrees, longitudes: Degrees, scale: float) -> Floats:
    """(n, 1) e^(-km / scale) by the haversine formula; 0 where there is no place."""
    found, here = np.zeros((len(latitudes), 1), np.float32), math.radians(latitude)
    for row in range(len(latitudes)):
        if math.isnan(latitudes[row]):
            continue
        there, across = math.radians(latitudes[row]), math.radians(longitudes[row] - longitude)
        chord = math.sin((there - here) / 2) ** 2
        chord += math.cos(here) * math.cos(there) * math.sin(across / 2) ** 2
        km = 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(chord, 1.0)))
        found[row, 0] = math.exp(-km / scale)
    return found
