"""How much a user is drawn to an item's creator, or to another category of it."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.protocols import PartConfig
from homefeed.taste import decayed
from homefeed.types import Candidates, Floats, Query


class Affinity:
    """How much the user is drawn to the item's creator, or to another category of it: tanh(s / scale), from -1 to
    1, s being the sum of the strengths of the user's events on items of the same category. The feature is called
    `FIELD_affinity`, such as `creator_id_affinity`.

    An event counts its strength, negative for a dislike, halved for every half-life between it and the user's
    latest event. Every event counts, for coming back is what affinity is. Items without the category have 0.
    """

    class Config(PartConfig):
        field: str = "creator_id"
        """A category field of items."""
        half_life_days: Annotated[float, Field(gt=0)] = 60.0
        """An event's strength halves for every so many days between it and the user's latest event."""
        scale: Annotated[float, Field(gt=0)] = 2.0
        """The sum of strengths that makes 0.76. With a larger one it takes more events to come near 1."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such category field."""
        self._config = config
        self._catalog = resources.catalog
        self._column = resources.catalog.column(config.field, CategoryColumn)
        self.names = (f"{config.field}_affinity",)

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 1) from -1 to 1."""
        history, codes = query.user.history, self._column.codes(self._catalog.size)
        wanted, met = codes[candidates.positions], codes[history.items]
        strengths = decayed(history, query.now, self._config.half_life_days)
        # Moved up by one, so that what has no category, -1, has a sum of its own: none.
        sums = np.bincount(met + 1, strengths, minlength=wanted.max(initial=-1) + 2)
        sums[0] = 0
        return np.tanh(sums[wanted + 1] / self._config.scale).astype(np.float32)[:, None]
