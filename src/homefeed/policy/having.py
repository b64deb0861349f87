"""What has a certain value, such as being live."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from homefeed.catalog import Resources
from homefeed.policy.values import YES, Holders
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Query


class Having:
    """Filters out items that have none of some values in a field at the moment of the request: what is not live,
    say. Items without a value are filtered out, too.
    """

    class Config(PartConfig):
        field: str
        """A category field of items."""
        values: Annotated[tuple[str, ...], Field(min_length=1)] = YES
        """The values that pass, whatever their letter case; by default those that say yes."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such category field."""
        self._field, self._values = config.field, config.values
        self._holders = Holders(resources.catalog, config.field, config.values)

    def filter(self, query: Query) -> Mask:  # noqa: ARG002
        """(items,) with one of the values."""
        return self._holders.latest()

    def why(self, query: Query, position: int) -> str:  # noqa: ARG002
        """What it has instead."""
        return f"{self._field} is {self._holders.value(position) or 'not known'}, not {self._values[0]}"
