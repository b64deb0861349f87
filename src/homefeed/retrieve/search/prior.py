"""What speaks for an item whatever is searched: how many people rated it and how well, and its events."""

from __future__ import annotations

from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import NumberColumn
from homefeed.catalog.counts import as_counts
from homefeed.protocols import PartConfig
from homefeed.types import Floats, Positions

_DOUBT: Final = 50.0
_BEST: Final = 5.0


class PriorConfig(PartConfig):
    """Which numbers tell how good an item is, whatever is searched."""

    weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 0.5
    """By how much of its score an item gains that has the most."""
    rating: str | None = None
    """The number field of items that holds their mean rating, up to 5; none: how good it is does not count."""
    count: str | None = None
    """The number field of items that holds how many ratings there are; none: events alone count."""


class Prior:
    """Mean of what ratings and events say of an item, each from 0 to 1 beside the best of those that match.

    Ratings: ln(1 + their number), times the mean rating, drawn to the middle while there are few. Events: ln(1 +
    events). What none of the items has is left out.
    """

    def __init__(self, config: PriorConfig, resources: Resources) -> None:
        """Raises RecipeError where a field is no number field of items."""
        catalog = resources.catalog
        self._catalog, self._counters, self._weight = catalog, resources.counters, config.weight
        self._count = None if config.count is None else catalog.column(config.count, NumberColumn)
        self._rating = None if config.rating is None else catalog.column(config.rating, NumberColumn)

    def gains(self, positions: Positions) -> Floats:
        """(n,) what to multiply the scores of items by: 1 to 1 + weight."""
        signals = [self._rated(positions), np.log1p(self._counters.events[positions])]
        shares = [signal / most for signal in signals if (most := float(signal.max(initial=0))) > 0]
        if not shares:
            return np.ones(len(positions), np.float32)
        gains: Floats = (1 + self._weight * np.add.reduce(shares) / len(shares)).astype(np.float32)
        return gains

    def _rated(self, positions: Positions) -> npt.NDArray[np.float64]:
        if self._count is None:
            return np.zeros(len(positions))
        size = self._catalog.size
        counts = as_counts(self._count.numbers(size)[positions])
        known = np.log1p(counts)
        if self._rating is None:
            return known
        ratings = self._rating.numbers(size)[positions]
        ratings = np.where((ratings >= 0) & (ratings <= _BEST), ratings, _BEST / 2) / _BEST
        return known * (0.5 + counts / (counts + _DOUBT) * (ratings - 0.5))
