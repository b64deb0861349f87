"""What is being watched more than it was: strength that fades with time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.refreshed import Refreshed
from homefeed.retrieve.ranking import PrecomputedRanking
from homefeed.retrieve.within import Within, WithinConfig
from homefeed.types import Positions, Query, Scores


class Trending:
    """What is chosen most at present: items by strength that fades with the recipe's
    `signals.trending_half_life_days`. Of each user the event counts of which most is left, unless the recipe's
    `signals.count` says otherwise.

    Decay forward in time (Cormode et al., "Forward Decay", ICDE 2009) leaves the order unchanged while no event
    arrives, so it is sorted when events do and not when requests do. The score is the share of the most that any
    item has: of the user's own group, where the recipe keeps groups apart.
    """

    class Config(WithinConfig):
        reason: str = "Trending now"
        """The reason for items with `min_strength`; others get none."""
        min_strength: Annotated[float, Field(gt=0)] = 2.0
        """How much strength must not have faded yet for the reason to hold: 2 is two full watches, say."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._counters = resources.counters
        self._within = Within(config, resources)
        self._partitions = resources.partitions
        # Of the catalogue nothing but the groups of items matters.
        catalog = resources.catalog if config.within or self._partitions.are_apart else None
        self._ranking = Refreshed(self._rank, lambda: (self._counters.version, catalog and catalog.generation))

    def refresh(self) -> None:
        """Sort anew where events arrived."""
        self._ranking.refresh()

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items that trend most."""
        return self._ranking.latest().first(query.eligible, k, self._within.group(query))

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """Only for items that trend at the time of the request, not for yesterday's."""
        current = self._counters.trend[positions] * self._counters.trend_at(query.now)
        return [self._config.reason if value >= self._config.min_strength else None for value in current.tolist()]

    def _rank(self) -> PrecomputedRanking:
        trend = self._counters.trend
        rising = np.flatnonzero(trend > 0)
        order = rising[np.argsort(-trend[rising], kind="stable")].astype(np.int32)
        # The last entry is of those without a partition.
        codes = self._partitions.codes(len(trend))
        peaks = np.zeros(codes.max(initial=-1) + 2)
        np.maximum.at(peaks, codes[rising], trend[rising])
        peak = np.where(peaks > 0, peaks, 1.0)[codes]
        # What has faded to nothing beside the strongest keeps a score above 0, as every proposal must.
        scores = np.maximum(trend / peak, 1e-30).astype(np.float32)
        return PrecomputedRanking(order, scores, self._within.codes(len(trend)))
