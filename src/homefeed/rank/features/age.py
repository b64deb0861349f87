"""How old an item is, by the logarithm of its days."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import DAY, NO_TIME, Candidates, Floats, Query


class Age:
    """How old the item is: `age` is ln(1 + days) / ln(1 + max_days), from 0 to 1; 0 for one that is dated later
    than now. `age_unknown` is 1 for an item without a date, whose age is 0, else 0.

    `recency` falls by half every few days: it tells hours and days apart, and beyond some half-lives all is old to
    it, as is what has no date. This one goes by orders of magnitude: a day, a week, a month and a year are about
    as far from one another, and a ranker can learn for itself what to think of an item without a date.
    """

    class Config(PartConfig):
        max_days: Annotated[float, Field(ge=1, allow_inf_nan=False)] = 3_650.0
        """The age that makes 1: older items are no older than that."""

    names = ("age", "age_unknown")

    def __init__(self, config: Config, resources: Resources) -> None:
        self._scale = math.log1p(config.max_days)
        self._catalog = resources.catalog

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 2) from 0 to 1 at the time of the request; 0 and 1."""
        created = self._catalog.created[candidates.positions]
        unknown = created == NO_TIME
        days = np.maximum(query.now - np.where(unknown, query.now, created), 0) / DAY
        features = np.empty((len(candidates), 2), np.float32)
        features[:, 0] = np.minimum(np.log1p(days) / self._scale, 1)
        features[:, 1] = unknown
        return features
