"""How much an item has been met with in the last hour, day and week, and whether that grows."""

from __future__ import annotations

import numpy as np

from homefeed.catalog import Resources
from homefeed.catalog.windows import LENGTHS, WINDOWS
from homefeed.protocols import PartConfig
from homefeed.types import DAY, Candidates, Floats, Query


class PopularityWindows:
    """How much the item was met with in the last hour, day and week: `popularity_1h`, `popularity_1d` and
    `popularity_7d`, each ln(1 + c) / ln(1 + the largest c among the candidates), from 0 to 1. `popularity_trend`
    is x / (1 + |x|), from -1 to 1, where x = ln((c of the day + 1) / (c of an average day of the week + 1)): above
    0 for what is met with more than it was.

    c is the sum of e^(-age / window) over the events of the item that count, of each user the first, unless the
    recipe's `signals.count` says otherwise: what happens evenly comes to as many as in a window of that length.
    """

    class Config(PartConfig):
        """Nothing to set."""

    names = (*(f"popularity_{window}" for window in WINDOWS), "popularity_trend")

    def __init__(self, config: Config, resources: Resources) -> None:  # noqa: ARG002
        self._counters = resources.counters
        self._day, self._week = (list(WINDOWS).index(name) for name in ("1d", "7d"))

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 4) by the live counters, at the time of the request."""
        counts = self._counters.recent_at(candidates.positions, query.now)
        logs = np.log1p(counts)
        most = logs.max(axis=0, initial=0)
        average = counts[:, self._week] * DAY / LENGTHS[self._week]
        trend = logs[:, self._day] - np.log1p(average)
        features = np.column_stack([logs / np.where(most > 0, most, 1), trend / (1 + np.abs(trend))])
        return features.astype(np.float32)
