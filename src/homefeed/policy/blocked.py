"""What the user does not want to see again, ever."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Query


class Blocked:
    """Filters out items that the user ever hid or reported: they never return."""

    class Config(PartConfig):
        events: Annotated[tuple[str, ...], Field(min_length=1)] = ("hide", "report")
        """The event types that block an item. Each must be an event type of the recipe."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._events = config.events
        self._codes = resources.event_codes(config.events)
        self._unwanted = resources.event_mask(config.events)
        self._catalog = resources.catalog

    def filter(self, query: Query) -> Mask:
        """(items,) not blocked by this user."""
        mask = np.ones(self._catalog.size, np.bool_)
        history = query.user.history
        mask[history.items[self._unwanted[history.types]]] = False
        return mask

    def why(self, query: Query, position: int) -> str:
        """By which events."""
        history = query.user.history
        types = history.types[history.items == position]
        told = [name for name, code in zip(self._events, self._codes, strict=True) if code in types]
        return f"the user told of it: {' and '.join(told)}"
