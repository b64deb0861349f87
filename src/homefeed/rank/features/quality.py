"""What an item lacks in quality."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import NumberColumn
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Floats, Query


class Quality:
    """What the item lacks in quality: -max(0, good - quality) / good, from -1 to 0.

    Better than good is no better, so that the feature keeps the poor down and leaves the rest to taste.
    """

    class Config(PartConfig):
        field: str = "quality"
        """The number field of items that holds their quality."""
        unknown: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.6
        """The quality that an item without one counts as."""
        good: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.7
        """The quality that is good enough: an item with more of it gains nothing."""

    names = ("quality",)

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such number field."""
        self._config = config
        self._catalog = resources.catalog
        self._column = resources.catalog.column(config.field, NumberColumn)

    def extract(self, query: Query, candidates: Candidates) -> Floats:  # noqa: ARG002
        """(n, 1) from -1 to 0."""
        quality = self._column.numbers(self._catalog.size)[candidates.positions]
        quality = np.where(np.isnan(quality), self._config.unknown, quality)
        return np.minimum(np.maximum(quality / self._config.good - 1, -1), 0).astype(np.float32)[:, None]
