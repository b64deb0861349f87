"""A number of an item, such as its quality or how many watch it now, as a share of the most that counts."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import NumberColumn
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Floats, Query


class Number:
    """A number of the item as a share of the most that counts, from 0 to 1, as it is at the moment of the request.
    The feature has the name of the field.

    x / max_value, or with `log` ln(1 + x) / ln(1 + max_value), by which ten times as much adds about the same
    wherever it begins: x is the number within 0 to max_value.
    """

    class Config(PartConfig):
        field: str
        """A number field of items."""
        max_value: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
        """The number that is a whole share: more is no more."""
        log: bool = False
        """Whether the logarithm counts, as it should for numbers that are spread over several powers of ten."""
        unknown: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
        """The number that an item without one counts as."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such number field."""
        self._config, self._catalog = config, resources.catalog
        self._column = resources.catalog.column(config.field, NumberColumn)
        self.names = (config.field,)

    def extract(self, query: Query, candidates: Candidates) -> Floats:  # noqa: ARG002
        """(n, 1) from 0 to 1."""
        most = self._config.max_value
        numbers = self._column.numbers(self._catalog.size)[candidates.positions]
        within = np.clip(np.where(np.isnan(numbers), self._config.unknown, numbers), 0, most)
        shares = np.log1p(within) / np.log1p(most) if self._config.log else within / most
        return shares.astype(np.float32)[:, None]
