"""How near an item is, by how far the user is willing to go."""

from __future__ import annotations

from typing import Annotated, Final

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.geo import FARTHEST_KM, Degrees, Kilometres, Place
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
        kms = haversine_km(query.place, latitudes, longitudes)
        decay = np.exp(-kms / (self._reach(query) / self._config.scales))
        return np.nan_to_num(decay, nan=0.0).astype(np.float32)[:, None]

    def _reach(self, query: Query) -> float:
        field = self._config.user_field
        own = None if field is None else read_number(query.user.attributes.get(field))
        return self._config.reach_km if own is None or own <= 0 else min(own, FARTHEST_KM)


def haversine_km(place: Place, latitudes: Degrees, longitudes: Degrees) -> Kilometres:
    """(n,) distances from a place on a sphere of radius 6,371 km; NaN where there is no place."""
    here, there = np.radians(place.latitude), np.radians(latitudes)
    across = np.radians(longitudes - place.longitude)
    chord = np.sin((there - here) / 2) ** 2 + np.cos(here) * np.cos(there) * np.sin(across / 2) ** 2
    kms: Kilometres = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.minimum(chord, 1)))
    return kms
