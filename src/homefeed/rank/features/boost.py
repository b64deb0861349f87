"""What operators add to an item or take from it by hand."""

from __future__ import annotations

import numpy as np

from homefeed.catalog import Resources
from homefeed.catalog.columns import NumberColumn
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Floats, Query


class Boost:
    """What operators add to an item by hand or take from it: its number, clipped to -1 to 1; 0 without one."""

    class Config(PartConfig):
        field: str = "boost"
        """The number field of items that holds it."""

    names = ("boost",)

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such number field."""
        self._catalog = resources.catalog
        self._column = resources.catalog.column(config.field, NumberColumn)

    def extract(self, query: Query, candidates: Candidates) -> Floats:  # noqa: ARG002
        """(n, 1) from -1 to 1."""
        boosts = self._column.numbers(self._catalog.size)[candidates.positions]
        return np.minimum(np.maximum(np.where(np.isnan(boosts), 0, boosts), -1), 1).astype(np.float32)[:, None]
