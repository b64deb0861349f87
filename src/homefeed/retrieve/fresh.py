"""What is new in the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.retrieve.selection import first_eligible
from homefeed.types import DAY, NO_TIME, Positions, Query, Scores, Times


class Fresh:
    """Items not older than `days`, newest first, by exp(-age / days). Items of unknown age are not new."""

    class Config(PartConfig):
        """`reason` may name {age}: "today", "yesterday", "5 days ago"."""

        days: Annotated[float, Field(gt=0)] = 14.0
        reason: str = "New: added {age}"

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._catalog = resources.catalog
        self._standing: tuple[Positions, Times] | None = None
        self._seen = -1

    def refresh(self) -> None:
        """Sort anew where the catalogue changed."""
        if self._seen == self._catalog.generation:
            return
        generation, created = self._catalog.generation, self._catalog.created.copy()
        dated = np.flatnonzero(created != NO_TIME)
        order = dated[np.lexsort((-dated, -created[dated]))].astype(np.int32)
        self._standing, self._seen = (order, created[order]), generation

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k newest eligible items."""
        if self._standing is None:
            self.refresh()
        assert self._standing is not None  # noqa: S101
        order, created = self._standing
        # `created` falls: the items between "not in the future" and "not too old" are one slice of it.
        oldest = query.now - self._config.days * DAY
        start = np.searchsorted(-created, -query.now)
        stop = np.searchsorted(-created, -oldest, side="right")
        positions = first_eligible(order[start:stop], query.eligible, k)
        ages = self._ages(query, positions)
        young = (ages >= 0) & (ages <= self._config.days)
        return positions[young], np.exp(-ages[young] / self._config.days).astype(np.float32)

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """How long ago each was added."""
        return [
            self._config.reason.format(age=_in_words(age)) if 0 <= age <= self._config.days else None
            for age in self._ages(query, positions).tolist()
        ]

    def _ages(self, query: Query, positions: Positions) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        created = self._catalog.created[positions]
        return np.where(created == NO_TIME, -1.0, (query.now - created.astype(np.float64)) / DAY)


def _in_words(days: float) -> str:
    whole = int(days)
    return "today" if whole == 0 else "yesterday" if whole == 1 else f"{whole} days ago"
