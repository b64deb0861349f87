"""What is neither hidden nor deleted. Part of every feed, whatever its recipe says."""

from __future__ import annotations

from typing import ClassVar

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Query


class Availability:
    """Passes items that are neither hidden nor deleted. Part of every feed."""

    restricts_explanations: ClassVar = True

    class Config(PartConfig):
        """Nothing to set."""

    def __init__(self, config: Config, resources: Resources) -> None:  # noqa: ARG002
        self._catalog = resources.catalog

    def filter(self, query: Query) -> Mask:  # noqa: ARG002
        """(items,) available now."""
        return self._catalog.available
