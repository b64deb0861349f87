"""What the user has seen already."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import DAY, NO_POSITIONS, History, Mask, Positions, Query


class Seen:
    """Filters out items that the user has already seen: items with enough of the user's events of one type. Part
    of every feed, unless the recipe leaves it out.
    """

    stops_repeats = True

    class Config(PartConfig):
        events: Annotated[dict[str, Annotated[int, Field(ge=1)]], Field(min_length=1)] | None = None
        """By event type, how many of the user's events on an item are enough: `{ click = 1, impression = 3 }`;
        none: one event of strength 1 or more, such as a purchase or a whole read."""
        switch: str | None = None
        """The key of the request's context that switches the filter off by `false`, such as `exclude_seen`; none:
        it is always on."""
        history_days: Annotated[float, Field(gt=0)] | None = None
        """Only the events of the last so many days count, so that an item returns after them; none: all events."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._history_days, self._enough = config.history_days, config.events
        self._switch = config.switch
        self._catalog, self._names = resources.catalog, list(resources.verbs)
        events = config.events or {}
        self._codes = resources.event_codes(events).tolist()
        self._once = resources.event_mask([name for name, enough in events.items() if enough == 1])

    def filter(self, query: Query) -> Mask:
        """(items,) not seen by this user."""
        mask = np.ones(self._catalog.size, np.bool_)
        mask[self._seen(query)] = False
        return mask

    def concerns(self, query: Query) -> bool:
        """Whether the user has seen anything."""
        return len(self._seen(query)) > 0

    def why(self, query: Query, position: int) -> str:
        """Which events the user has on it, and how many are enough."""
        history = self._counting(query)
        own = history.take(history.items == position)
        if self._enough is None:
            told = [self._names[code] for code in np.unique(own.types[own.strengths >= 1]).tolist()]
        else:
            told = [
                f"{name} {count} (limit {enough})"
                for code, (name, enough) in zip(self._codes, self._enough.items(), strict=True)
                if (count := np.count_nonzero(own.types == code)) >= enough
            ]
        within = "" if self._history_days is None else f" within {self._history_days:g} days"
        return f"the user's events on it{within}: {', '.join(told)}"

    def _seen(self, query: Query) -> Positions:
        return query.scope.once(self, "seen", partial(self._look_up, query))

    def _look_up(self, query: Query) -> Positions:
        if self._switch is not None and query.context.get(self._switch, "").lower() == "false":
            return NO_POSITIONS
        history = self._counting(query)
        if self._enough is None:
            return history.items[history.strengths >= 1]
        seen = [history.items[self._once[history.types]]]
        for code, enough in zip(self._codes, self._enough.values(), strict=True):
            if enough > 1:
                items, times = np.unique(history.items[history.types == code], return_counts=True)
                seen.append(items[times >= enough])
        return np.concatenate(seen)

    def _counting(self, query: Query) -> History:
        history = query.user.history
        if self._history_days is None:
            return history
        return history.take(history.times >= query.now - self._history_days * DAY)
