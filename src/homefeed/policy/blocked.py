"""What the user does not want to see again, ever."""

from __future__ import annotations

import numpy as np

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Query


class Blocked:
    """Filters out items that the user ever disliked: they never return. Part of every feed, unless the recipe
    leaves it out.
    """

    class Config(PartConfig):
        events: tuple[str, ...] | None = None
        """The event types that block an item, of those of the recipe; none: all with a weight below 0."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._names = list(resources.verbs)
        self._blocking = None if config.events is None else resources.event_mask(config.events)
        self._catalog = resources.catalog

    def filter(self, query: Query) -> Mask:
        """(items,) not blocked by this user."""
        mask = np.ones(self._catalog.size, np.bool_)
        mask[query.user.ever.items[self._told(query)]] = False
        return mask

    def concerns(self, query: Query) -> bool:
        """Whether the user ever blocked anything."""
        return bool(self._told(query).any())

    def why(self, query: Query, position: int) -> str:
        """By which events."""
        history = query.user.ever
        types = history.types[self._told(query) & (history.items == position)]
        return f"the user told of it: {' and '.join(self._names[code] for code in np.unique(types).tolist())}"

    def _told(self, query: Query) -> Mask:
        """(events,) of all that the user ever did, which block the item."""
        history = query.user.ever
        return history.strengths < 0 if self._blocking is None else self._blocking[history.types]
