"""How near an item is, and how much that means to the user."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.numerals import read_number
from homefeed.protocols import PartConfig
from homefeed.rank.distances import distances_km
from homefeed.types import Candidates, Floats, Query


class Local:
    """How near the item is to the place of the request, or else of the user, times how much that means to them:
    proximity x (1 + strength), where proximity is 1 / (1 + the distance in km along the WGS 84 ellipsoid).

    0 where the place of one of them is not known.
    """

    class Config(PartConfig):
        field: str | None = None
        """The location field of items, whose name and `_` then begin the name of the feature; none: the field that
        says where items are."""
        strength: str | None = None
        """The attribute of users that tells how much they like what is near, from 0 on; none, or one who has none:
        0."""
        max_strength: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
        """A greater strength counts as this one."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such location field."""
        self._config, self._catalog = config, resources.catalog
        self._column = resources.catalog.located(config.field)
        self.names = ("local" if config.field is None else f"{config.field}_local",)

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 1) from 0 to 1 + max_strength."""
        if query.place is None:
            return np.zeros((len(candidates), 1), np.float32)
        kms = distances_km(self._column, query, query.place, candidates.positions, self._catalog.size)
        near = np.where(np.isnan(kms), 0, (1 + self._strength(query)) / (1 + kms))
        return near.astype(np.float32)[:, None]

    def _strength(self, query: Query) -> float:
        field = self._config.strength
        told = None if field is None else read_number(query.user.attributes.get(field))
        return min(max(told or 0.0, 0.0), self._config.max_strength)
