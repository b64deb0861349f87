"""What is over: offers that ended, events that took place."""

from __future__ import annotations

from homefeed.catalog import Resources
from homefeed.catalog.columns import TimeColumn
from homefeed.protocols import PartConfig
from homefeed.types import NEVER, NO_TIME, Mask, Positions, Query


class Expiry:
    """Filters out items whose time has passed. Items without a time never expire. Part of every feed where items
    have the time field `expires_at`, unless the recipe leaves it out.
    """

    class Config(PartConfig):
        field: str = "expires_at"
        """The time field of items that holds when an item expires."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._field = config.field
        self._catalog = resources.catalog
        self._column = resources.catalog.column(config.field, TimeColumn)

    def filter(self, query: Query) -> Mask:
        """(items,) not over."""
        times = self._column.times(self._catalog.size)
        mask: Mask = (times > query.now) | (times == NO_TIME)
        return mask

    def passes_until(self, positions: Positions) -> int:
        """When the first of them is over."""
        ends = self._column.times(self._catalog.size)[positions]
        return int(ends[ends != NO_TIME].min(initial=NEVER))

    def why(self, query: Query, position: int) -> str:  # noqa: ARG002
        """When it ended."""
        return f"{self._field} {' '.join(self._column.terms(position))} has passed"
