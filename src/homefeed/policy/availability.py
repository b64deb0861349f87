"""What is neither hidden nor deleted, nor dated later than now. Part of every feed, whatever its recipe says."""

from __future__ import annotations

from typing import ClassVar

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import NO_TIME, Mask, Query


class Availability:
    """Passes items that are neither hidden nor deleted, and were created by now. Part of every feed."""

    restricts_explanations: ClassVar = True

    class Config(PartConfig):
        """Nothing to set."""

    def __init__(self, config: Config, resources: Resources) -> None:  # noqa: ARG002
        self._catalog = resources.catalog
        self._newest = (-1, NO_TIME)

    def filter(self, query: Query) -> Mask:
        """(items,) available now."""
        catalog = self._catalog
        generation, newest = self._newest
        if generation != catalog.generation:
            newest = int(catalog.created.max(initial=NO_TIME))
            self._newest = catalog.generation, newest
        # Hardly ever is there an item of the future: then no date has to be looked at.
        return catalog.available if newest <= query.now else catalog.available & (catalog.created <= query.now)
