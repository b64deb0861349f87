"""How far an item is from the place of the request."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.geo import FARTHEST_KM
from homefeed.protocols import PartConfig
from homefeed.rank.distances import distances_km
from homefeed.types import Candidates, Floats, Query


class Distance:
    """How far the item is from the place of the request, or else of the user: `distance_km`, geodesic on WGS 84;
    `proximity`, 1 / (1 + distance_km); and `distance_unknown`, 1 where the place of one of them is not known, 0
    elsewhere. What is not known counts as `unknown_km` away, its proximity is 0.
    """

    class Config(PartConfig):
        field: str | None = None
        """The location field of items, whose name and `_` then begin the names of the features; none: the field
        that says where items are."""
        unknown_km: Annotated[float, Field(ge=0, le=FARTHEST_KM)] = FARTHEST_KM
        """How far what is not known counts as being; by default farther than anything."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such location field."""
        self._config, self._catalog = config, resources.catalog
        self._column = resources.catalog.located(config.field)
        prefix = "" if config.field is None else f"{config.field}_"
        self.names = tuple(f"{prefix}{name}" for name in ("distance_km", "proximity", "distance_unknown"))

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 3) from 0 on, from 0 to 1, 0 or 1."""
        features = np.zeros((len(candidates), 3), np.float32)
        features[:, 0], features[:, 2] = self._config.unknown_km, 1
        if query.place is None:
            return features
        distances = distances_km(self._column, query, query.place, candidates.positions, self._catalog.size)
        known = ~np.isnan(distances)
        features[known, 0] = distances[known]
        features[known, 1] = 1 / (1 + distances[known])
        features[known, 2] = 0
        return features
