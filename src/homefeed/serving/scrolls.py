"""Pages by their place: what a user was shown while they scroll, so that no page repeats or skips an item."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np

from homefeed.funnel import Ranked
from homefeed.types import SECOND, Numbers, Positions

MOST_SCROLLS: Final = 10_000
"""So many are kept; the one that waited longest goes first."""
MAX_SLATE_SECONDS: Final = 300
"""So long a scroll goes on through one slate; then the best of the rest are chosen anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Scroll:
    """What one user was shown by one request, page by page: permanent numbers in order.

    `slate` is the id of the kept slate, made at a time, that the next page goes on with.
    """

    slate: int = 0
    made: int = 0
    shown: Numbers = field(default_factory=lambda: np.empty(0, np.int32))

    def goes_on(self, now: int) -> bool:
        """Whether the slate is not too old yet, by a clock that may have gone back."""
        return 0 <= now - self.made <= MAX_SLATE_SECONDS * SECOND

    def split(self, offset: int, n: int) -> tuple[Numbers, Numbers, Numbers]:
        """What was shown before the page of `n` from `offset`, on it, and after it."""
        return self.shown[:offset], self.shown[offset : offset + n], self.shown[offset + n :]


class Scrolls:
    """The scrolls of users, by their requests."""

    def __init__(self, size: int = MOST_SCROLLS) -> None:
        self._size = size
        self._scrolls: OrderedDict[Hashable, Scroll] = OrderedDict()

    def find(self, request: Hashable) -> Scroll:
        """The scroll of a request; one that nothing was shown in, where there is none."""
        scroll = self._scrolls.get(request)
        if scroll is None:
            return Scroll()
        self._scrolls.move_to_end(request)
        return scroll

    def keep(self, request: Hashable, scroll: Scroll) -> None:
        """Keep it in the place of the one before."""
        self._scrolls[request] = scroll
        self._scrolls.move_to_end(request)
        if len(self._scrolls) > self._size:
            self._scrolls.popitem(last=False)


def shown_first(ranked: Ranked, again: Positions) -> Ranked:
    """With the candidates that the page has shown before first, in that order: it is requested once more."""
    if not len(again):
        return ranked
    positions = ranked.candidates.positions
    row_of = {position: row for row, position in enumerate(positions.tolist())}
    rows = [row_of[position] for position in again.tolist() if position in row_of]
    if rows == list(range(len(rows))):
        return ranked
    rest = np.delete(np.arange(len(positions)), rows)
    order = np.concatenate([np.array(rows, np.intp), rest])
    return replace(ranked, candidates=ranked.candidates.take(order))


def holds(ranked: Ranked, positions: Positions) -> bool:
    """Whether all of them are among the candidates."""
    return bool(np.isin(positions, ranked.candidates.positions).all())
