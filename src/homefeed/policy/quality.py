"""What is not good enough to be shown."""

from __future__ import annotations

from typing import ClassVar

from homefeed.catalog import Resources
from homefeed.catalog.columns import NumberColumn
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Query


class Quality:
    """Filters out items of low quality. Items of unknown quality pass."""

    restricts_explanations: ClassVar = True

    class Config(PartConfig):
        field: str = "quality"
        """The number field of items that holds their quality."""
        min_value: float = 0.3
        """Items below it are filtered out."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._catalog = resources.catalog
        self._column = resources.catalog.column(config.field, NumberColumn)

    def filter(self, query: Query) -> Mask:  # noqa: ARG002
        """(items,) good enough."""
        # Not `>=`: NaN, where the quality is not known, is below nothing.
        mask: Mask = ~(self._column.numbers(self._catalog.size) < self._config.min_value)
        return mask

    def why(self, query: Query, position: int) -> str:  # noqa: ARG002
        """Its quality, and the least."""
        quality = self._column.numbers(self._catalog.size)[position]
        return f"{self._config.field} {quality:g} is below {self._config.min_value:g}"
