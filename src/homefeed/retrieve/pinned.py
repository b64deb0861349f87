"""What an editor pinned for a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from homefeed.catalog import Resources
from homefeed.catalog.columns import TimeColumn
from homefeed.catalog.refreshed import Refreshed
from homefeed.protocols import PartConfig
from homefeed.types import NO_POSITIONS, NO_TIME, SECOND, Positions, Query, Scores


class Pinned:
    """Items that are pinned until a time still to come, newest first. The reranker `pins` puts them first.

    The score is 1 / place.
    """

    class Config(PartConfig):
        field: str = "pinned_until"
        """The time field of items that holds until when an item is pinned."""
        reason: str = "Pinned until {until}"
        """The reason; {until} is a day, such as "12 January"."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._catalog = resources.catalog
        self._column = resources.catalog.column(config.field, TimeColumn)
        self._ever = Refreshed(self._find_ever, lambda: self._catalog.generation)

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k newest eligible items that are pinned now."""
        ever = self._ever.refresh()
        pinned = ever[(self._column.times(self._catalog.size)[ever] > query.now) & query.eligible[ever]]
        if not len(pinned):
            return NO_POSITIONS, np.empty(0, np.float32)
        newest = np.lexsort((pinned, self._catalog.created[pinned]))[::-1][:k]
        scores = 1 / np.arange(1, len(newest) + 1)
        return pinned[newest].astype(np.int32), scores.astype(np.float32)

    def _find_ever(self) -> npt.NDArray[np.intp]:
        """The items with a time, rising: few of all."""
        return np.flatnonzero(self._column.times(self._catalog.size) > NO_TIME)

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
