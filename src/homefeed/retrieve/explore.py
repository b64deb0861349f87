"""Chances for new items that too few have met to be judged: a few, drawn by lot, with known probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.retrieve.fresh import NewestFirst
from homefeed.retrieve.sampling import draw_key, hash_uniform
from homefeed.types import DAY, NO_TIME, Mask, Positions, Query, Scores


class Explore:
    """A few new items that hardly any user has met, drawn at random for each user and period.

    It draws `slots` of the pool: eligible items no older than `max_age_days` with fewer than `max_events` events.
    Every item of the pool is drawn with the same probability, min(1, slots / items in the pool): its propensity,
    which is its score. By it, whoever learns from the log can weigh what chance brought about: Horvitz &
    Thompson, "A generalization of sampling without replacement from a finite universe" (JASA 1952).

    Drawn are the items with the lowest of pseudo-random numbers made from item, user and period: a period of
    `draw_hours` has one draw for a user, the same in every process and however often it is asked for. One item
    that joins or leaves the pool meanwhile changes at most one of those drawn; what earlier pages have shown stays
    in the pool, so that the next page finds the same draw. Users without an id share one.
    """

    class Config(PartConfig):
        max_age_days: Annotated[float, Field(gt=0)] = 2.0
        """How long an item is new."""
        max_events: Annotated[int, Field(ge=1)] = 10
        """An item with so many events is known, and no longer drawn."""
        slots: Annotated[int, Field(ge=1)] = 2
        """How many items are drawn: as many as the reranker `explore` has places."""
        draw_hours: Annotated[float, Field(gt=0)] = 1.0
        """How long a user's draw stays the same."""
        seed: int = 0
        """Another seed makes other draws."""
        reason: str = "New: be among the first to see this"
        """The reason for items that can be drawn."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._catalog = resources.catalog
        self._counters = resources.counters
        self._newest = NewestFirst(resources.catalog)

    def refresh(self) -> None:
        """Sort anew where the catalogue changed."""
        self._newest.refresh()

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """Those drawn for this user and period, in the order of the draw, that this request may show."""
        slots, pool = self._config.slots, self._pool(query)
        key = draw_key(query, self._config.draw_hours, self._config.seed)
        drawn = pool[np.argsort(hash_uniform(key, self._catalog.numbers[pool]), kind="stable")[:slots]]
        positions = drawn[query.eligible[drawn]][:k]
        propensity = min(1.0, slots / max(len(pool), 1))
        return positions, np.full(len(positions), propensity, np.float32)

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """The same for every item that is new and hardly known."""
        return [self._config.reason if new else None for new in self._is_unknown(query, positions).tolist()]

    def _pool(self, query: Query) -> Positions:
        """What may be drawn, shown by earlier pages or not."""
        mask = query.eligible.copy()
        mask[query.exclude] = self._catalog.available[query.exclude]
        new = self._newest.between(query.now - self._config.max_age_days * DAY, query.now)
        new = new[new < len(mask)]
        new = new[mask[new]]
        return new[self._is_unknown(query, new)]

    def _is_unknown(self, query: Query, positions: Positions) -> Mask:
        created = self._catalog.created[positions]
        recent = (created != NO_TIME) & (created <= query.now)
        recent &= created >= query.now - self._config.max_age_days * DAY
        unknown: Mask = recent & (self._counters.events[positions] < self._config.max_events)
        return unknown
