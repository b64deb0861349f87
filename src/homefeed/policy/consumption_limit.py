"""What the user has already had enough of."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import Mask, Positions, Query


class ConsumptionLimit:
    """Filters out items that the user has consumed: the values of their events on the item add up to `share` of
    its typical full value, or to `value`, whichever is reached first.

    An item with an event but no values at all (a like, say) is left alone.
    """

    stops_repeats = True

    class Config(PartConfig):
        share: Annotated[float, Field(gt=0)] = 0.5
        """The limit as a share of the item's typical full value."""
        value: Annotated[float, Field(gt=0)] = 1800.0
        """The limit as a sum of event values, in their unit: with play times in seconds, half an hour."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._catalog = resources.catalog
        self._counters = resources.counters

    def filter(self, query: Query) -> Mask:
        """(items,) not watched heavily by this user."""
        mask = np.ones(self._catalog.size, np.bool_)
        mask[query.scope.once(self, "consumed", partial(self._consumed, query))] = False
        return mask

    def concerns(self, query: Query) -> bool:
        """Whether the user has consumed anything."""
        return len(query.scope.once(self, "consumed", partial(self._consumed, query))) > 0

    def _consumed(self, query: Query) -> Positions:
        history, config = query.user.history, self._config
        items, which = np.unique(history.items, return_inverse=True)
        total = np.bincount(which, np.where(np.isnan(history.values), 0, history.values))
        enough = np.minimum(config.share * self._counters.full[items], config.value)
        consumed: Positions = items[total >= enough]
        return consumed
