"""What is new in the catalogue."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Final

import numpy as np
from pydantic import Field

from homefeed.catalog import CatalogView, Resources
from homefeed.retrieve.selection import first_eligible
from homefeed.retrieve.within import Within, WithinConfig
from homefeed.types import DAY, NO_TIME, Positions, Query, Scores, Times

_LATEST: Final = 2.0**62


class NewestFirst:
    """The dated items of a catalogue in a standing order, kept beside the requests."""

    def __init__(self, catalog: CatalogView) -> None:
        self._catalog = catalog
        self._ranking: tuple[Positions, Times] | None = None
        self._seen = -1

    def refresh(self) -> None:
        """Sort anew where the catalogue changed."""
        if self._seen == self._catalog.generation:
            return
        generation, created = self._catalog.generation, self._catalog.created.copy()
        dated = np.flatnonzero(created != NO_TIME)
        order = dated[np.lexsort((-dated, -created[dated]))].astype(np.int32)
        self._ranking, self._seen = (order, -created[order]), generation

    def between(self, oldest: float, newest: int) -> Positions:
        """The items created from `oldest` to `newest`, both included, newest first."""
        if self._ranking is None:
            self.refresh()
        assert self._ranking is not None  # noqa: S101
        order, before = self._ranking
        # `before` rises, so the items are one slice. A bound of floats would have all of it copied.
        start = np.searchsorted(before, -newest)
        stop = np.searchsorted(before, math.floor(min(-oldest, _LATEST)), side="right")
        return order[start:stop]


class Fresh:
    """New items, newest first. Items of unknown age are not new.

    The score is exp(-age / max_age_days).
    """

    class Config(WithinConfig):
        max_age_days: Annotated[float, Field(gt=0)] = 14.0
        """How long an item is new."""
        reason: str = "New: added {age}"
        """The reason; {age} is "today", "yesterday", "5 days ago"."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._catalog = resources.catalog
        self._within = Within(config, resources)
        self._newest = NewestFirst(resources.catalog)

    def refresh(self) -> None:
        """Sort anew where the catalogue changed."""
        self._newest.refresh()

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k newest eligible items."""
        new = self._newest.between(query.now - self._config.max_age_days * DAY, query.now)
        positions = first_eligible(new, self._within.eligible(query), k)
        ages = self._ages(query, positions)
        young = (ages >= 0) & (ages <= self._config.max_age_days)
        return positions[young], np.exp(-ages[young] / self._config.max_age_days).astype(np.float32)

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """How long ago each was added."""
        return [
            self._config.reason.format(age=_format_age(age)) if 0 <= age <= self._config.max_age_days else None
            for age in self._ages(query, positions).tolist()
        ]

    def _ages(self, query: Query, positions: Positions) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        created = self._catalog.created[positions]
        return np.where(created == NO_TIME, -1.0, (query.now - created.astype(np.float64)) / DAY)


def _format_age(days: float) -> str:
    whole = int(days)
    return "today" if whole == 0 else "yesterday" if whole == 1 else f"{whole} days ago"
