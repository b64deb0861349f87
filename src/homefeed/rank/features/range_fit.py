"""How well a number of an item keeps to the bounds that a user set."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import NumberColumn
from homefeed.numerals import read_number
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Floats, Query


class RangeFit:
    """How well the item's number keeps to the bounds that the user set: 1 within them, below them x / minimum,
    above them maximum / x, to the power of `steepness`; from 0 to 1. 1 for a user without bounds, 0 for an item
    without a number where there are bounds.

    It is named after the field: `compensation_fit`. The filter `preferred_range` stops such items instead.
    """

    class Config(PartConfig):
        field: str
        """A number field of items."""
        min_user_field: str
        """The attribute of users that holds their minimum."""
        max_user_field: str
        """The attribute of users that holds their maximum."""
        steepness: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 2.0
        """How fast the feature falls outside the bounds: at 2, half the minimum has 0.25."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such number field."""
        self._config, self._catalog = config, resources.catalog
        self._column = resources.catalog.column(config.field, NumberColumn)
        self.names = (f"{config.field}_fit",)

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 1) from 0 to 1."""
        attributes = query.user.attributes
        low = read_number(attributes.get(self._config.min_user_field))
        high = read_number(attributes.get(self._config.max_user_field))
        if low is None and high is None:
            return np.ones((len(candidates), 1), np.float32)
        numbers = self._column.numbers(self._catalog.size)[candidates.positions]
        fit = np.ones(len(candidates))
        if low is not None and low > 0:
            fit = np.minimum(fit, np.maximum(numbers, 0) / low)
        if high is not None:
            above = numbers > high
            fit[above] = np.minimum(fit[above], max(high, 0.0) / np.maximum(numbers[above], 1e-9))
        fit = np.where(np.isnan(numbers), 0.0, fit)
        return (fit**self._config.steepness).astype(np.float32)[:, None]
