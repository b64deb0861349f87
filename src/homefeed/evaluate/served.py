"""What no list should hold: looked for in the pages as people are served them, their history included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from homefeed.catalog import CatalogView
from homefeed.catalog.columns import TimeColumn
from homefeed.evaluate.setting import Setting
from homefeed.evaluate.split import Case
from homefeed.funnel import recommend
from homefeed.scope import RequestScope
from homefeed.types import NO_POSITIONS, NO_TIME, Mask, Positions, Query, TrainingData

FIRST: Final = 10
"""How many places of each page are looked at."""


@dataclass(frozen=True, slots=True)
class ServedCheck:
    """Of the items in the first places of one feed's pages, the shares that the user had disliked, that they had
    consumed (an event of strength 1 or more), and that were not to be had: hidden, over, or not there yet.
    """

    feed: str
    places: int
    disliked: float
    consumed: float
    unavailable: float

    @property
    def is_clean(self) -> bool:
        """Whether there was nothing of the kind."""
        return not (self.disliked or self.consumed or self.unavailable)

    def sentence(self) -> str:
        """The shares in words."""
        return (
            f"{self.feed} as served: of the first {FIRST} places {self.disliked:.1%} disliked by the user, "
            f"{self.consumed:.1%} already consumed, {self.unavailable:.1%} unavailable."
        )


class ServedPages:
    """Asks feeds for pages as the service would answer them, and counts. An evaluation's own lists leave the
    history out for every system, so they cannot tell.
    """

    def __init__(self, feeds: Sequence[str]) -> None:
        self._counts = {feed: [0, 0, 0, 0] for feed in feeds}

    def ask(self, setting: Setting, data: TrainingData, case: Case) -> None:
        """One user's pages."""
        query = replace(setting.query(data, case, FIRST), exclude=NO_POSITIONS)
        history = query.user.history
        unavailable = _unavailable(setting.catalog, query)
        for feed, before in self._counts.items():
            page = recommend(setting.feeds[feed], replace(query, feed=feed, scope=RequestScope())).positions
            disliked = _count(page, history.items[history.strengths < 0])
            consumed = _count(page, history.items[history.strengths >= 1])
            found = (len(page), disliked, consumed, int(np.count_nonzero(unavailable[page])))
            self._counts[feed] = [count + more for count, more in zip(before, found, strict=True)]

    def checks(self) -> tuple[ServedCheck, ...]:
        """What was found, by feed."""
        found = []
        for feed, (places, *bad) in self._counts.items():
            disliked, consumed, unavailable = (count / max(places, 1) for count in bad)
            found.append(ServedCheck(feed, places, disliked, consumed, unavailable))
        return tuple(found)


def _count(page: Positions, items: Positions) -> int:
    return int(np.isin(page, items).sum())


def _unavailable(catalog: CatalogView, query: Query) -> Mask:
    """(items,) by what items say themselves, whatever filters a feed has."""
    mask: Mask = ~catalog.available | (catalog.created > query.now)
    for field, is_out in (("expires_at", np.less_equal), ("available_from", np.greater)):
        if catalog.fields.get(field) == "time":
            times = catalog.column(field, TimeColumn).times(catalog.size)
            mask |= is_out(times, query.now) & (times != NO_TIME)
    return mask
