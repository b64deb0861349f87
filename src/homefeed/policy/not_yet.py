"""What is still to come: films before their release, offers before their first day."""

from __future__ import annotations

from typing import ClassVar

from homefeed.catalog import Resources
from homefeed.catalog.columns import TimeColumn
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Query


class NotYet:
    """Filters out items whose time has not come. Items without a time are there at once. Part of every feed where
    items have the time field `available_from`, unless the recipe leaves it out.
    """

    restricts_explanations: ClassVar = True

    class Config(PartConfig):
        field: str = "available_from"
        """The time field of items that holds from when on an item is there."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._field = config.field
        self._catalog = resources.catalog
        self._column = resources.catalog.column(config.field, TimeColumn)

    def filter(self, query: Query) -> Mask:
        """(items,) there by now."""
        mask: Mask = self._column.times(self._catalog.size) <= query.now
        return mask

    def why(self, query: Query, position: int) -> str:  # noqa: ARG002
        """When it will be there."""
        return f"{self._field} {' '.join(self._column.terms(position))} has not come"
