"""What an editor pinned for a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from homefeed.catalog import Resources
from homefeed.catalog.columns import TimeColumn
from homefeed.protocols import PartConfig
from homefeed.types import SECOND, Positions, Query, Scores


class Pinned:
    """Items pinned until a time still to come, newest first, by 1 / place. To show them first is up to `pins`."""

    class Config(PartConfig):
        """`field` is the time field that says until when; `reason` may name {until}: "12 January"."""

        field: str = "pinned_until"
        reason: str = "Pinned until {until}"

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._catalog = resources.catalog
        self._column = resources.catalog.column(config.field, TimeColumn)

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k newest eligible items that are pinned now."""
        size = self._catalog.size
        # Items without a time have the earliest there is.
        pinned = np.flatnonzero((self._column.times(size) > query.now) & query.eligible)
        newest = np.lexsort((pinned, self._catalog.created[pinned]))[::-1][:k]
        scores = 1 / np.arange(1, len(newest) + 1)
        return pinned[newest].astype(np.int32), scores.astype(np.float32)

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """Until when each is pinned."""
        times = self._column.times(self._catalog.size)[positions]
        return [
            self._config.reason.format(until=_format_end(time)) if time > query.now else None
            for time in times.tolist()
        ]


def _format_end(time: int) -> str:
    moment = datetime.fromtimestamp(time / SECOND, UTC)
    return f"{moment.day} {moment:%B}"
