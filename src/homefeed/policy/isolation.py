"""Who may know of what: a user sees the items of their own group only."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.catalog.partitions import partition_of
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Query


class Isolation:
    """Passes only items of the user's own group. The recipe's `[isolation]` puts it into every feed and keeps
    histories, reasons and cursors apart, too.

    Letter case matters. It fails closed: an item without a group is shown to no user; a user who is unknown, or
    with an attribute that is missing, blank or not a single text or whole number, sees nothing.
    """

    restricts_explanations: ClassVar = True

    class Config(PartConfig):
        item: str
        """The category field of items that holds an item's group. An item without one is shown to no user."""
        user: str
        """The attribute of users that holds a user's group. A user without one sees nothing."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._catalog = resources.catalog
        self._column = resources.catalog.column(config.item, CategoryColumn)

    def filter(self, query: Query) -> Mask:
        """(items,) of the user's group."""
        size = self._catalog.size
        group = self._group(query)
        if group is None:
            return np.zeros(size, np.bool_)
        return self._column.equals(group, size)

    def why(self, query: Query, position: int) -> str:
        """That it is of another group: not of which."""
        if self._group(query) is None:
            return f"the user has no {self._config.user}"
        if not self._column.terms(position):
            return f"it has no {self._config.item}"
        return f"not of the user's {self._config.user}"

    def _group(self, query: Query) -> str | None:
        return partition_of(query.user, self._config.user)
