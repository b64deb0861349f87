"""What the user has seen already."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import DAY, History, Mask, Positions, Query


class Seen:
    """Filters out items that the user has already seen: items with enough of the user's events of one type."""

    class Config(PartConfig):
        events: Annotated[dict[str, Annotated[int, Field(ge=1)]], Field(min_length=1)]
        """By event type, how many of the user's events on an item are enough: `{ click = 1, impression = 3 }`."""
        history_days: Annotated[float, Field(gt=0)] | None = None
        """Only the events of the last so many days count, so that an item returns after them; none: all events."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._catalog = resources.catalog
        self._codes = resources.event_codes(config.events).tolist()
        self._once = resources.event_mask([name for name, enough in config.events.items() if enough == 1])

    def filter(self, query: Query) -> Mask:
        """(items,) not seen by this user."""
        mask = np.ones(self._catalog.size, np.bool_)
        mask[query.scope.once(self, "seen", partial(self._look_up, query))] = False
        return mask

    def why(self, query: Query, position: int) -> str:
        """Which events the user has on it, and how many are enough."""
        history = self._counting(query)
        types = history.types[history.items == position]
        told = [
            f"{name} {count} (limit {enough})"
            for code, (name, enough) in zip(self._codes, self._config.events.items(), strict=True)
            if (count := np.count_nonzero(types == code)) >= enough
        ]
        within = "" if self._config.history_days is None else f" within {self._config.history_days:g} days"
        return f"the user's events on it{within}: {', '.join(told)}"

    def _look_up(self, query: Query) -> Positions:
        history = self._counting(query)
        seen = [history.items[self._once[history.types]]]
        for code, enough in zip(self._codes, self._config.events.values(), strict=True):
            if enough > 1:
                items, times = np.unique(history.items[history.types == code], return_counts=True)
                seen.append(items[times >= enough])
        return np.concatenate(seen)

    def _counting(self, query: Query) -> History:
        history = query.user.history
        if self._config.history_days is None:
            return history
        return history.take(history.times >= query.now - self._config.history_days * DAY)
