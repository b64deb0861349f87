"""What most people watch: how many they are, and full watches, both log-damped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.refreshed import Refreshed
from homefeed.retrieve.ranking import PrecomputedRanking, best_first
from homefeed.retrieve.sentences import MIN_PEOPLE
from homefeed.retrieve.within import Within, WithinConfig
from homefeed.types import Positions, Query, Scores


class Popular:
    """Every eligible item, by popularity: events_weight x ln(1 + events) + strength_weight x ln(1 + strength).

    Of each user one event counts, the strongest, unless the recipe's `signals.count` says otherwise: nobody makes
    an item popular alone. Strength counts full watches, so that many who left early do not, either; the logarithm
    keeps a few hits from drowning the rest. Items without events come last, newest first.
    """

    class Config(WithinConfig):
        events_weight: Annotated[float, Field(ge=0)] = 1.0
        """The weight of the number of events that count. Dislikes do not."""
        strength_weight: Annotated[float, Field(ge=0)] = 1.0
        """The weight of their summed strength. Dislikes add nothing."""
        reason: str = "Popular: chosen by {events:,} users"
        """The reason; {events} is how many count: by default that is the number of users."""
        reason_few: str = "Not chosen by many yet"
        """The reason for an item with one event or none: which of the two would tell what one person did."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._counters = resources.counters
        self._catalog = resources.catalog
        self._within = Within(config, resources)
        self._ranking = Refreshed(self._rank, lambda: (self._counters.version, self._catalog.generation))

    def refresh(self) -> None:
        """Sort anew where counters or catalogue changed."""
        self._ranking.refresh()

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k most popular eligible items."""
        return self._ranking.latest().first(query.eligible, k, self._within.group(query))

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:  # noqa: ARG002
        """How many chose each, from two on."""
        few = self._config.reason_few
        return [
            few if count < MIN_PEOPLE else self._config.reason.format(events=count)
            for count in self._counters.events[positions].astype(int).tolist()
        ]

    def _rank(self) -> PrecomputedRanking:
        size = self._catalog.size
        scores = self._config.events_weight * np.log1p(self._counters.events[:size])
        scores += self._config.strength_weight * np.log1p(self._counters.strength[:size])
        # A score must be above 0 even for items without events, so that they can fill a page.
        codes = self._within.codes(size)
        return PrecomputedRanking(best_first(scores), (scores + 1e-6).astype(np.float32), codes)
