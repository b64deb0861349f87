"""Which items have one of some values, looked up anew where the catalogue has changed."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from homefeed.catalog import CatalogView
from homefeed.catalog.columns import CategoryColumn
from homefeed.types import Condition, Mask

YES: Final = ("true", "yes", "y", "t", "1")
"""The values that say yes, whatever their letter case."""


class Holders:
    """The items that have one of some values in a category field."""

    def __init__(self, catalog: CatalogView, field: str, values: tuple[str, ...]) -> None:
        """Raises RecipeError where items have no such category field."""
        self._catalog, self._column = catalog, catalog.column(field, CategoryColumn)
        self._condition = Condition(field, ":", values[0], values[1:])
        self._known = (-1, np.zeros(0, np.bool_))

    def latest(self) -> Mask:
        """(items,) those that have one now."""
        known, mask = self._known
        # What changes while the items are looked at has a later generation, and is looked up by the next request.
        now = self._catalog.generation
        if known != now:
            mask = self._catalog.mask(self._condition)
            mask.flags.writeable = False
            self._known = now, mask
        return mask

    def value(self, position: int) -> str:
        """What an item has, empty without any."""
        return "".join(self._column.terms(position))


def says_yes(value: Any) -> bool:
    """Whether an attribute is true, 1, or one of `YES` as text."""
    if isinstance(value, bool | int | float):
        return value == 1
    return isinstance(value, str) and value.strip().lower() in YES
