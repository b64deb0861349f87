"""What was engaged with most in the last hours."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.hourly import MAX_HOURS
from homefeed.errors import InvalidError
from homefeed.numerals import read_number
from homefeed.protocols import PartConfig
from homefeed.retrieve.selection import best_rows
from homefeed.types import Positions, Query, Scores


class TrendingHours:
    """The items with the largest sum of the weights of events in the last `hours`: every event counts whole,
    dislikes take off, and what happened before does not count at all. The score is that sum.

    The first of those hours is counted by the share of it that is in them. `trending` fades instead, and counts
    each user once; this one answers "what happened in the last 24 hours" to the letter.
    """

    class Config(PartConfig):
        hours: Annotated[float, Field(gt=0, le=MAX_HOURS)] = 24.0
        """How many hours count."""
        hours_key: str | None = None
        """The key of the request's context that tells how many hours count, from 1 to 168; none: `hours` do."""
        reason: str = "Trending: people reacted in the last {hours} hours"
        """The reason; {hours} is how many count."""
        min_strength: Annotated[float, Field(gt=0)] = 2.0
        """How much strength there must be in those hours for the reason to hold."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config, self._counters = config, resources.counters

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items that were engaged with most."""
        return best_rows(self._sums(query), k, query.eligible)

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """Only for items with `min_strength` in those hours."""
        said = self._config.reason.format(hours=f"{self._hours(query):g}")
        return [said if value >= self._config.min_strength else None for value in self._sums(query)[positions]]

    def _sums(self, query: Query) -> Scores:
        return query.scope.once(self, "retrieve.hourly", partial(self._sum_up, query))

    def _sum_up(self, query: Query) -> Scores:
        size = len(query.eligible)
        return self._counters.hourly.since(query.now, self._hours(query), size).astype(np.float32)

    def _hours(self, query: Query) -> float:
        key = self._config.hours_key
        told = None if key is None else query.context.get(key)
        if told is None:
            return self._config.hours
        hours = read_number(told)
        if hours is None or not 1 <= hours <= MAX_HOURS:
            raise InvalidError(f"{key}: expected 1 to {MAX_HOURS} hours, got {told:.80}")
        return hours
