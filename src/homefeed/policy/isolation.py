"""Who may know of what: a user sees the items of their own group only."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Query


class Isolation:
    """Passes the items whose field `item` equals the user's attribute `user`, to the letter case.

    It fails closed: an item without the field belongs to nobody; a user who is unknown, or whose attribute is
    missing, blank or not a single text or whole number, sees nothing.
    """

    restricts_explanations: ClassVar = True

    class Config(PartConfig):
        """`item` is a category field of items, `user` an attribute of users."""

        item: str
        user: str

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
        group = query.user.attributes.get(self._config.user)
        if query.user.user_id is None or not isinstance(group, str | int) or isinstance(group, bool):
            return None
        return str(group) if str(group).strip() else None
