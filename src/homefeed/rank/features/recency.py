"""How new an item is."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import DAY, NO_TIME, Candidates, Floats, Query


class Recency:
    """How new the item is: 2^(-age / half-life), from 0 to 1; 1 for an item that is dated later than now, 0 for
    one without a date.
    """

    class Config(PartConfig):
        half_life_days: Annotated[float, Field(gt=0)] = 3.0
        """The feature halves every so many days of an item's age."""

    names = ("recency",)

    def __init__(self, config: Config, resources: Resources) -> None:
        self._half_life = config.half_life_days * DAY
        self._catalog = resources.catalog

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 1) how new each is at the time of the request."""
        created = self._catalog.created[candidates.positions]
        dated = created != NO_TIME
        age = np.maximum(query.now - np.where(dated, created, query.now), 0)
        return np.where(dated, np.exp2(-age / self._half_life), 0).astype(np.float32)[:, None]
