"""Items of the user's own group only: their block, their campus, their team."""

from __future__ import annotations

from typing import Final, NamedTuple, Self

import numpy as np
from pydantic import model_validator

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.protocols import PartConfig
from homefeed.types import Codes, Query

_NO_GROUP: Final = -2
"""A code that no item has."""


class WithinConfig(PartConfig):
    """Base of the `Config` of retrievers that can keep to a group."""

    within: str | None = None
    """A category field of items: only items of the user's own group are proposed, and none to a user without one;
    none: items of all groups."""
    within_user: str | None = None
    """The attribute of users that holds their group; none: the one with the name of the field."""

    @model_validator(mode="after")
    def _user_needs_items(self) -> Self:
        if self.within_user is not None and self.within is None:
            raise ValueError("within_user has no meaning without `within`, the field of items to compare it with")
        return self


class Group(NamedTuple):
    """The items whose `codes` (items,) are of one `code`."""

    codes: Codes
    code: int


EVERYTHING: Final = Group(np.empty(0, np.int32), 0)
"""The group of all items."""


class Within:
    """Finds the user's own group of items; without a field that is the group of all."""

    def __init__(self, config: WithinConfig, resources: Resources) -> None:
        """Raises RecipeError where `within` is no category field."""
        field = config.within
        self._column = None if field is None else resources.catalog.column(field, CategoryColumn)
        self._attribute = config.within_user or field or ""

    def codes(self, size: int) -> Codes:
        """(size,) the codes of the items' groups; empty without groups."""
        return EVERYTHING.codes if self._column is None else self._column.codes(size)

    def group(self, query: Query) -> Group:
        """The items of the user's group, eligible or not."""
        if self._column is None:
            return EVERYTHING
        value = query.user.attributes.get(self._attribute)
        code = _NO_GROUP if value is None else self._column.code(value)
        return Group(self.codes(len(query.eligible)), code)
