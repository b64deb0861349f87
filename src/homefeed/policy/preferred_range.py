"""What is outside the bounds that a user set, such as of what it pays."""

from __future__ import annotations

import math

from homefeed.catalog import Resources
from homefeed.catalog.columns import NumberColumn
from homefeed.numerals import read_number
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Query


class PreferredRange:
    """Filters out items with a number below the user's own minimum, or above their maximum. Items without a number
    pass, as does everything where the user set no bounds.
    """

    class Config(PartConfig):
        field: str
        """A number field of items."""
        min_user_field: str
        """The attribute of users that holds their minimum."""
        max_user_field: str
        """The attribute of users that holds their maximum."""
        enabled: bool = True
        """Whether bounds are obeyed. If not, all items pass; the feature `range_fit` can weigh them instead."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such number field."""
        self._config, self._catalog = config, resources.catalog
        self._column = resources.catalog.column(config.field, NumberColumn)

    def filter(self, query: Query) -> Mask:
        """(items,) within the bounds."""
        numbers = self._column.numbers(self._catalog.size)
        low, high = self._bounds(query)
        mask: Mask = ~((numbers < low) | (numbers > high))
        return mask

    def concerns(self, query: Query) -> bool:
        """Whether the user set any."""
        return self._bounds(query) != (-math.inf, math.inf)

    def why(self, query: Query, position: int) -> str:
        """Which bound it is outside of."""
        number = float(self._column.numbers(self._catalog.size)[position])
        low, high = self._bounds(query)
        bound = f"below the user's minimum, {low:g}" if number < low else f"above the user's maximum, {high:g}"
        return f"{self._config.field} {number:g} is {bound}"

    def _bounds(self, query: Query) -> tuple[float, float]:
        if not self._config.enabled:
            return -math.inf, math.inf
        attributes = query.user.attributes
        low = read_number(attributes.get(self._config.min_user_field))
        high = read_number(attributes.get(self._config.max_user_field))
        return (-math.inf if low is None else low), (math.inf if high is None else high)
