"""Not too much of one thing in a row: of one creator, say."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import replace
from heapq import heappop, heappush
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Dropped, Query


class Caps:
    """At most `max_items` items of one value in any `window` consecutive places, earlier pages included.
    A reranker after it can break the rule, so it belongs last.

    Each place goes to the best-ranked candidate left that keeps the rule: those passed over come as soon as they
    may. Where none may come any more, the rest is dropped.
    """

    class Config(PartConfig):
        field: str = "creator_id"
        """A category field of items. Items without a value are not capped."""
        max_items: Annotated[int, Field(ge=1)] = 2
        """How many items of one value a window may hold."""
        window: Annotated[int, Field(ge=1, le=50)] = 10
        """How many consecutive places are looked at together."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._catalog = resources.catalog
        self._column = resources.catalog.column(config.field, CategoryColumn)

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        """In the order of rank as far as the rule allows."""
        max_items, window = self._config.max_items, self._config.window
        codes = self._column.codes(self._catalog.size)
        before = codes[query.recently_shown[max(0, len(query.recently_shown) - window + 1) :]]
        order = capped_order(codes[candidates.positions].tolist(), before.tolist(), max_items, window)
        if order == list(range(len(candidates))):
            return candidates
        reranked = candidates.take(np.array(order, np.intp))
        if len(order) == len(candidates):
            return reranked
        left = np.delete(candidates.positions, order)
        why = f"{max_items} of one {self._config.field} in {window} places, and nothing else to place between"
        return replace(reranked, dropped=(*candidates.dropped, Dropped("caps", left, why)))


def capped_order(codes: Sequence[int], before: Sequence[int], max_items: int, window: int) -> list[int]:
    """The rows of `codes` (n,), best first, in the order of their places; those that never fit are not among them.

    `before` holds the codes of the places before the first. Codes below 0 are not capped. O(n log n).
    """
    queue = _Queue(before, max_items, window)
    order: list[int] = []
    rows = enumerate(codes)
    while True:
        place = len(order)
        chosen = queue.pop(place)
        if chosen is None:
            # Whatever was passed over must wait on: the next row that need not is the best.
            for row, code in rows:
                if queue.free_from(code) <= place:
                    chosen = row, code
                    break
                queue.push(row, code)
        if chosen is None:
            return order
        order.append(chosen[0])
        queue.take(place, chosen[1])


class _Queue:
    """The rows passed over, by code, and the places that the latest rows of each code took."""

    def __init__(self, before: Sequence[int], max_items: int, window: int) -> None:
        self._max_items, self._window = max_items, window
        self._places: defaultdict[int, deque[int]] = defaultdict(lambda: deque(maxlen=max_items))
        self._passed: defaultdict[int, deque[int]] = defaultdict(deque)
        self._waiting: list[tuple[int, int]] = []
        self._ready: list[tuple[int, int]] = []
        for place, code in enumerate(before, -len(before)):
            self.take(place, code)

    def free_from(self, code: int) -> int:
        """The first place at which another row of the code keeps the rule."""
        places = self._places.get(code)
        # With `max_items` rows placed, the earliest of them must have left the window.
        return places[0] + self._window if places and len(places) == self._max_items else -self._window

    def take(self, place: int, code: int) -> None:
        """A row of the code took the place."""
        if code < 0:
            return
        self._places[code].append(place)
        if self._passed.get(code):
            heappush(self._waiting, (self.free_from(code), code))

    def push(self, row: int, code: int) -> None:
        """Pass a row over."""
        self._passed[code].append(row)
        if len(self._passed[code]) == 1:
            heappush(self._waiting, (self.free_from(code), code))

    def pop(self, place: int) -> tuple[int, int] | None:
        """The best row passed over that may take the place, and its code."""
        while self._waiting and self._waiting[0][0] <= place:
            code = heappop(self._waiting)[1]
            heappush(self._ready, (self._passed[code][0], code))
        if not self._ready:
            return None
        row, code = heappop(self._ready)
        self._passed[code].popleft()
        return row, code
