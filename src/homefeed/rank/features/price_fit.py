"""How an item's price compares with what the user usually likes, and with the others of the request."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import NumberColumn
from homefeed.kernels import F32, F64, I64, kernel, reads, writes
from homefeed.protocols import PartConfig
from homefeed.rank.kernels import Doubles
from homefeed.taste import weighted_seeds
from homefeed.types import Candidates, Floats, Query


class PriceFit:
    """How the item's price compares with the usual one of the user, and with the candidates': by the field's name
    `price_above` and `price_below`, from 0 to 1, and `price_log`, from -1 to 1.

    With x = ln(price / usual price) / scale, `price_above` is x / (1 + x) where the item is dearer, `price_below`
    -x / (1 - x) where it is cheaper, else 0: people who never buy dear things may well take cheap ones. The usual
    price is the median of those of the items that the user's latest events speak for, each weighing as in
    `tag_overlap`; in a feed about an item it is that item's. `price_log` is y / (1 + |y|), y = ln(price / median)
    / scale, the median being that of the candidates: what is dear among them, for a user of whom nothing is known,
    too. What is unknown makes 0: an item without a price above 0, a user of fewer than `min_items` priced items.
    """

    class Config(PartConfig):
        field: str = "price"
        """The number field of items that holds their price."""
        scale: Annotated[float, Field(ge=0.01, allow_inf_nan=False)] = 0.7
        """The difference of natural logarithms that makes 0.5: 0.7 is twice the price."""
        min_items: Annotated[int, Field(ge=1)] = 3
        """A user has a usual price from so many items on that have one."""
        max_events: Annotated[int, Field(ge=1, le=1_000)] = 50
        """How many of the user's latest events count."""
        half_life_days: Annotated[float, Field(gt=0)] = 30.0
        """An event's weight halves for every so many days between it and the user's latest event."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where items have no such number field."""
        self._config = config
        self._catalog = resources.catalog
        self._column = resources.catalog.column(config.field, NumberColumn)
        self.names = tuple(f"{config.field}_{what}" for what in ("above", "below", "log"))

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 3) from 0 to 1, from 0 to 1, from -1 to 1."""
        numbers = self._column.numbers(self._catalog.size)
        items, weights = weighted_seeds(query, self._config.max_events, self._config.half_life_days)
        enough = self._config.min_items if query.anchor is None else 1
        usual = _usual(numbers[items], weights, enough)
        return _compared(numbers[candidates.positions], usual, self._config.scale)


@kernel(F64, reads(F64), reads(F32), I64)
def _usual(prices: Doubles, weights: Floats, enough: int) -> float:
    """The logarithm of the median of prices (m,) by weights (m,), of those above 0; NaN of fewer than enough."""
    order, total, known = np.argsort(prices), 0.0, 0
    for row in order:
        if weights[row] > 0 and 0 < prices[row] < np.inf:
            total += weights[row]
            known += 1
    below = 0.0
    for row in order if known >= enough else order[:0]:
        if weights[row] > 0 and 0 < prices[row] < np.inf:
            below += weights[row]
            if below >= total / 2:
                return float(np.log(prices[row]))
    return np.nan


@kernel(writes(F32, 2), reads(F64), F64, F64)
def _compared(prices: Doubles, usual: float, scale: float) -> Floats:
    """(n, 3) how far each price is above the usual, below it, and from the median of all."""
    found, known = np.zeros((len(prices), 3), np.float32), np.sort(prices[(prices > 0) & (prices < np.inf)])
    median = np.log(known[(len(known) - 1) // 2]) if len(known) else np.nan
    for row in range(len(prices)):
        if 0 < prices[row] < np.inf:
            log = np.log(prices[row])
            among, beside = (log - median) / scale, (log - usual) / scale
            found[row, 2] = among / (1 + abs(among))
            if beside > 0:
                found[row, 0] = beside / (1 + beside)
            elif beside < 0:
                found[row, 1] = beside / (beside - 1)
    return found
