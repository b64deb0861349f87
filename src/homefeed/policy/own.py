"""What is the user's own: nobody is recommended what they made themselves."""

from __future__ import annotations

import numpy as np

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Query


class Own:
    """Filters out items that the user made. Part of every feed where the recipe names `items.creator`, unless it
    leaves it out.
    """

    class Config(PartConfig):
        field: str
        """The category field of items that holds the id of the user who made it; by default `items.creator`."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such category field."""
        self._field = config.field
        self._catalog = resources.catalog
        self._column = resources.catalog.column(config.field, CategoryColumn)

    def filter(self, query: Query) -> Mask:
        """(items,) not made by this user."""
        size = self._catalog.size
        if query.user.user_id is None or not self._column.has(query.user.user_id):
            return np.ones(size, np.bool_)
        return ~self._column.equals(query.user.user_id, size)

    def concerns(self, query: Query) -> bool:
        """Whether the user made anything."""
        return query.user.user_id is not None and self._column.has(query.user.user_id)

    def why(self, query: Query, position: int) -> str:  # noqa: ARG002
        """Whose it is."""
        return f"the user's own: {self._field} is the user's id"
