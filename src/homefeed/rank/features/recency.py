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
    one without a date. Ages are fractions of days. A new item has `boost` times as much, but no more than 1.
    """

    class Config(PartConfig):
        half_life_days: Annotated[float, Field(gt=0)] = 3.0
        """The feature halves every so many days of an item's age. Of e^(-age / 10 days) that is 6.9315."""
        boost: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 1.0
        """How many times as much an item has while it is new."""
        boost_hours: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 24.0
        """How long an item is new: less than so many hours."""

    names = ("recency",)

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config, self._half_life = config, config.half_life_days * DAY
        self._catalog = resources.catalog

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 1) how new each is at the time of the request."""
        created = self._catalog.created[candidates.positions]
        dated = created != NO_TIME
        age = np.maximum(query.now - np.where(dated, created, query.now), 0)
        recency = np.exp2(-age / self._half_life)
        if self._config.boost > 1:
            new = age < self._config.boost_hours * DAY / 24
            recency = np.where(new, np.minimum(recency * self._config.boost, 1), recency)
        return np.where(dated, recency, 0).astype(np.float32)[:, None]
