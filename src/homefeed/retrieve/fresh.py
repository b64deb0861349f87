"""What is new in the catalogue."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Final, Self

import numpy as np
from pydantic import Field

from homefeed.catalog import CatalogView, Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.catalog.refreshed import Refreshed
from homefeed.kernels import BOOL, F32, F64, I32, I64, kernel, reads, several, writes
from homefeed.retrieve.ranking import Order
from homefeed.retrieve.within import EVERYTHING, Group, Within, WithinConfig
from homefeed.types import DAY, NO_TIME, Codes, Mask, Positions, Query, Scores, Times

_LATEST: Final = 2.0**62


class NewestFirst:
    """The dated items of a catalogue, newest first, sorted beside the requests: one for all that need it."""

    def __init__(self, catalog: CatalogView, field: str | None) -> None:
        self._catalog = catalog
        self._column = None if field is None else catalog.column(field, CategoryColumn)
        self._ranking = Refreshed(self._rank, lambda: catalog.generation)

    @classmethod
    def of(cls, catalog: CatalogView, field: str | None = None) -> Self:
        """That of a catalogue, by the groups of a category field if there is one."""
        return catalog.derived(("newest first", field), lambda: cls(catalog, field))

    def refresh(self) -> None:
        """Sort anew where the catalogue changed."""
        self._ranking.refresh()

    def between(self, oldest: float, newest: int, group: Group = EVERYTHING) -> Positions:
        """The items of a group created from `oldest` to `newest`, both included, newest first."""
        order, of_whole, of_groups = self._ranking.latest()
        positions, before = order.whole, of_whole
        if group is not EVERYTHING:
            positions, before = order.by_group[order.span(group)], of_groups[order.span(group)]
        # `before` rises, so the items are one slice. A bound of floats would have all of it copied.
        start = np.searchsorted(before, -newest)
        stop = np.searchsorted(before, math.floor(min(-oldest, _LATEST)), side="right")
        return positions[start:stop]

    def _rank(self) -> tuple[Order, Times, Times]:
        """The order, and the times of its items as negative numbers: of all, and group by group."""
        now = self._catalog.snapshot
        created = now.created.copy()
        dated = np.flatnonzero(created != NO_TIME)
        newest_first = dated[np.lexsort((-dated, -created[dated]))].astype(np.int32)
        order = Order(newest_first, EVERYTHING.codes if self._column is None else self._column.codes(now.size))
        return order, -created[order.whole], -created[order.by_group]


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
        self._newest = NewestFirst.of(resources.catalog, config.within)

    def refresh(self) -> None:
        """Sort anew where the catalogue changed."""
        self._newest.refresh()

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k newest eligible items."""
        days, created = self._config.max_age_days, self._catalog.created
        group = self._within.group(query)
        new = self._newest.between(query.now - days * DAY, query.now, group)
        return _youngest(new, query.eligible, group.codes, group.code, created, query.now, days, k)

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """How long ago each was added."""
        created = self._catalog.created[positions].tolist()
        return [None if time == NO_TIME else self._reason((query.now - time) / DAY) for time in created]

    def _reason(self, age: float) -> str | None:
        return self._config.reason.format(age=_format_age(age)) if 0 <= age <= self._config.max_age_days else None


@kernel(
    several(writes(I32), writes(F32)),
    *(reads(I32), reads(BOOL), reads(I32), I64, reads(I64), I64, F64, I64),
)
def _youngest(
    order: Positions, eligible: Mask, codes: Codes, code: int, created: Times, now: int, days: float, k: int
) -> tuple[Positions, Scores]:
    """The first k of an order that are eligible, of a group and young, and their scores."""
    room = max(min(k, len(order)), 0)
    found, scores = np.empty(room, np.int32), np.empty(room, np.float32)
    count = 0
    for position in order:
        if count == room:
            break
        if eligible[position] and (len(codes) == 0 or codes[position] == code):
            age = (now - created[position]) / DAY
            if created[position] != NO_TIME and 0 <= age <= days:
                found[count], scores[count] = position, math.exp(-age / days)
                count += 1
    return found[:count], scores[:count]


def _format_age(days: float) -> str:
    whole = int(days)
    return "today" if whole == 0 else "yesterday" if whole == 1 else f"{whole} days ago"
