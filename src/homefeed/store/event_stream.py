"""The events of a period, some at a time."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import sqlalchemy as sa

from homefeed.store.attributes import read_attributes
from homefeed.store.events import LogRows
from homefeed.store.session import Store
from homefeed.store.tables import events

_NAMES = ("seq", "user", "item", "event_type", "value", "time", "request_id")
_SPENT: Final = "time_spent_seconds"
"""What contexts call the time that was spent."""
_CONTEXT: Final = sa.case((events.c.context.contains(_SPENT, autoescape=True), events.c.context)).label("context")
"""The context where it may tell of that: others are not read."""
_DAY: Final = 86_400_000_000


async def stream_events(
    store: Store, app: str, since: int, until: int, page: int = 20_000, after: int = 0
) -> AsyncIterator[LogRows]:
    """The events from `since` to before `until`, and all later ones that name a request, up to `page` at a time.

    They have `request_ids` and `seconds`, and come in the order of the log: it has no index by time, and is read
    through once, from beyond the row `after`.
    """
    seq = after
    mine = sa.and_(events.c.app == app, events.c.time >= since)
    told = sa.or_(events.c.time < until, events.c.request_id.is_not(None))
    query = sa.select(*(events.c[name] for name in _NAMES)).where(mine, told)
    query = query.add_columns(_CONTEXT).order_by(events.c.seq).limit(page)
    while True:
        async with store.read() as connection:
            rows = (await connection.execute(query.where(events.c.seq > seq))).all()
        if rows:
            seqs, users, items, types, values, times, request_ids, contexts = zip(*rows, strict=True)
            spent = [None if text is None else seconds_spent(read_attributes(text)[0]) for text in contexts]
            yield LogRows(seqs, users, items, types, values, times, request_ids=request_ids, seconds=spent)
            seq = seqs[-1]
        if len(rows) < page:
            return


async def received_before(store: Store, app: str, time: int) -> int:
    """A row of the log up to which all were received a day or more before a time; 0 where none was.

    It is found in some 30 steps, as rows are in the order in which they were received. An event cannot have
    happened much after it was received, so what happened from that time on is beyond the row.
    """
    mine = events.c.app == app
    low, high = 0, (await store.watermarks(app)).event_seq
    while low < high:
        middle = (low + high + 1) // 2
        query = sa.select(events.c.seq, events.c.received_at).where(
            mine, events.c.seq <= middle, events.c.seq > low
        )
        async with store.read() as connection:
            row = (await connection.execute(query.order_by(events.c.seq.desc()).limit(1))).first()
        if row is None or row.received_at < time - _DAY:  # the rows in between are gone
            low = middle
        else:
            high = row.seq - 1
    return low


def seconds_spent(context: Mapping[str, Any]) -> float | None:
    """The time spent that an event's context tells; None where that is no number, or is below 0."""
    spent = context.get(_SPENT)
    if isinstance(spent, bool) or not isinstance(spent, int | float) or not math.isfinite(spent):
        return None
    return float(spent) if spent >= 0 else None
