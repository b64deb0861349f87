"""What is only for users who allow it, such as what is for adults."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.policy.values import YES, Holders, says_yes
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Query


class Permitted:
    """Filters out items that are marked, such as those for adults, unless the user allows them: one that is not
    known allows nothing. Items without a mark pass.
    """

    restricts_explanations: ClassVar = True

    class Config(PartConfig):
        field: str
        """The category field of items that holds the mark."""
        values: Annotated[tuple[str, ...], Field(min_length=1)] = YES
        """The values that are a mark, whatever their letter case; by default those that say yes."""
        user_field: str
        """The attribute of users that allows what is marked: true, 1, or a text that says yes."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such category field."""
        self._config, self._catalog = config, resources.catalog
        self._marked = Holders(resources.catalog, config.field, config.values)

    def filter(self, query: Query) -> Mask:
        """(items,) without a mark; all for whoever allows it."""
        return np.ones(self._catalog.size, np.bool_) if self.concerns(query) else ~self._marked.latest()

    def concerns(self, query: Query) -> bool:
        """Whether the user allows what is marked."""
        return says_yes(query.user.attributes.get(self._config.user_field))

    def why(self, query: Query, position: int) -> str:  # noqa: ARG002
        """Its mark, and which attribute would allow it."""
        mark = self._marked.value(position)
        return f"{self._config.field} is {mark}, and the user has no {self._config.user_field}"
