"""What the user chose never to see: creators they blocked, tags they do not want."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.policy.diversity import column_of
from homefeed.protocols import PartConfig
from homefeed.types import Condition, Mask, Query

_MAX_VALUES: Final = 1_000


class Preferences:
    """Filters out items with a value that the user blocked. The recipe's `users.blocks` puts it into every feed.

    A category has to be equal to the letter, as ids are; of tags letter case does not matter.
    """

    class Config(PartConfig):
        blocks: Annotated[dict[str, str], Field(min_length=1)]
        """The attribute of users that lists values, as a list or one text with `|` between them, of which 1,000
        count = the category or tags field of items that must hold none of them."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such field, or one of another kind."""
        self._catalog, self._blocks = resources.catalog, config.blocks
        self._columns = {field: column_of(resources.catalog, field) for field in config.blocks.values()}

    def filter(self, query: Query) -> Mask:
        """(items,) without anything that the user blocked."""
        mask = np.ones(self._catalog.size, np.bool_)
        for field, value in self._blocked(query):
            mask &= ~self._holds(field, value)
        return mask

    def concerns(self, query: Query) -> bool:
        """Whether the user blocked anything."""
        return next(self._blocked(query), None) is not None

    def why(self, query: Query, position: int) -> str:
        """Which of the values it has."""
        held = [f"{field} {value}" for field, value in self._blocked(query) if self._holds(field, value)[position]]
        return f"the user blocked: {', '.join(held)}"

    def _blocked(self, query: Query) -> Iterator[tuple[str, str]]:
        for attribute, field in self._blocks.items():
            for value in _listed(query.user.attributes.get(attribute)):
                yield field, value

    def _holds(self, field: str, value: str) -> Mask:
        column, size = self._columns[field], self._catalog.size
        if isinstance(column, CategoryColumn):
            return column.equals(value, size)
        return column.mask(Condition(field, ":", value), size)


def _listed(value: Any) -> list[str]:
    """The values that an attribute lists."""
    values = value.split("|") if isinstance(value, str) else value if isinstance(value, list | tuple) else [value]
    told = (str(one).strip() for one in values if isinstance(one, str | int) and not isinstance(one, bool))
    return [one for one in told if one][:_MAX_VALUES]
