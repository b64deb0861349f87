"""How new an item is."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import DAY, NO_TIME, Candidates, Floats, Query


class Recency:
    """2^(-age / half-life), from 0 to 1: 1 for what was created now or is dated later, 0 for what has no date."""

    class Config(PartConfig):
        """An item counts half as new every `half_life_days`."""

        half_life_days: Annotated[float, Field(gt=0)] = 3.0

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
