"""Slates kept for their next pages, so that paging goes on through what was ranked when it began."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from itertools import count

from homefeed.funnel import Ranked, slim

_MOST_KEPT = 200


@dataclass(frozen=True, slots=True)
class _Kept:
    request: object
    state: object
    ranked: Ranked


class SlateCache:
    """The last `size` slates that have more to show.

    A slate belongs to a request and to a state of things: the user's own events, the models, what was removed
    from the catalogue. It is found again only for the same request in the same state. Ids count from `first`: no
    two processes may begin with the same, or one would take the other's cursors for its own.
    """

    def __init__(self, size: int, first: int = 1) -> None:
        self._size = size
        self._slates: OrderedDict[int, _Kept] = OrderedDict()
        self._ids = count(first)

    def keep(self, request: object, state: object, ranked: Ranked) -> int:
        """Keep a slate; its id."""
        slate = next(self._ids)
        self._slates[slate] = _Kept(request, state, slim(ranked, _MOST_KEPT))
        if len(self._slates) > self._size:
            self._slates.popitem(last=False)
        return slate

    def find(self, slate: int, request: object, state: object) -> Ranked | None:
        """The slate of that id, if it is of this request and nothing has changed since."""
        kept = self._slates.get(slate)
        if kept is None or kept.request != request:
            return None
        if kept.state != state:
            del self._slates[slate]
            return None
        self._slates.move_to_end(slate)
        return kept.ranked
