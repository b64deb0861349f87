"""Slates kept: for their next pages, which go on through what was ranked, and those that are the same for all."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from itertools import count

from homefeed.funnel import Feed, Ranked, slim
from homefeed.types import SECOND, Query, Slate

_MAX_ITEMS_KEPT = 200


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
        self._slates[slate] = _Kept(request, state, slim(ranked, _MAX_ITEMS_KEPT))
        if len(self._slates) > self._size:
            self._slates.popitem(last=False)
        return slate

    def clear(self) -> None:
        """Forget all, and with them the models that ranked them."""
        self._slates.clear()

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


class SharedSlates:
    """The latest slates of feeds that are the same for every user whom no filter concerns, by request.

    One is given again for the `shared_seconds` of its feed, while neither models changed nor anything was hidden.
    """

    def __init__(self, size: int = 256) -> None:
        self._size = size
        self._state: object = None
        self._slates: OrderedDict[tuple[object, ...], tuple[int, Slate]] = OrderedDict()

    def find(self, feed: Feed, query: Query, state: object) -> Slate | None:
        """The slate that was given to the same request a moment ago, if there is one."""
        if state != self._state:
            self._state = state
            self._slates.clear()
        made, slate = self._slates.get(_request_key(query), (0, None)) if _is_shared(feed, query) else (0, None)
        # Not before it was made either, by a clock that went back since.
        if slate is None or not 0 <= query.now - made <= (feed.settings.shared_seconds or 0) * SECOND:
            return None
        if query.now >= slate.stale_from:
            return None
        # Given again, it took no time and nothing failed.
        return replace(slate, cold_start=query.user.is_cold and query.anchor is None, failed={}, seconds={})

    def keep(self, feed: Feed, query: Query, state: object, slate: Slate) -> None:
        """Keep the slate of a feed that is the same for every user."""
        if state == self._state and _is_shared(feed, query):
            self._slates[_request_key(query)] = query.now, slate
            if len(self._slates) > self._size:
                self._slates.popitem(last=False)


def _is_shared(feed: Feed, query: Query) -> bool:
    if feed.settings.shared_seconds is None:
        return False
    # What a request excludes is mostly its user's own.
    return not len(query.exclude) and not any(part.concerns(query) for part in feed.personal)


def _request_key(query: Query) -> tuple[object, ...]:
    context = frozenset(query.context.items())
    return query.feed, query.n, query.anchor, query.conditions, context, query.place, query.radius_km
