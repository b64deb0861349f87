"""Items of the user's own group only: their block, their campus, their team."""

from __future__ import annotations

from typing import Self

import numpy as np
from pydantic import model_validator

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Query


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
            raise ValueError("within_user says nothing without `within`, the field of items to compare it with")
        return self


class Within:
    """Narrows a request's eligible items to the user's group; without a field it leaves them as they are."""

    def __init__(self, config: WithinConfig, resources: Resources) -> None:
        """Raises RecipeError where `within` is no category field."""
        field = config.within
        self._column = None if field is None else resources.catalog.column(field, CategoryColumn)
        self._attribute = config.within_user or field or ""

    def eligible(self, query: Query) -> Mask:
        """(items,) eligible, and of the user's group."""
        if self._column is None:
            return query.eligible
        value = query.user.attributes.get(self._attribute)
        if value is None:
            return np.zeros_like(query.eligible)
        mask: Mask = self._column.codes(len(query.eligible)) == self._column.code(value)
        mask &= query.eligible
        return mask
