"""The events of a period, some at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator

import sqlalchemy as sa

from homefeed.store.events import LogRows
from homefeed.store.session import Store
from homefeed.store.tables import events

_NAMES = ("seq", "user", "item", "event_type", "value", "time", "request_id")


async def stream_events(
    store: Store, app: str, since: int, until: int, page: int = 20_000
) -> AsyncIterator[LogRows]:
    """The events from `since` to before `until`, and all later ones that name a request, up to `page` at a time.

    They have `request_ids`, and come in the order of the log: it has no index by time, and is read through once.
    """
    seq = 0
    mine = sa.and_(events.c.app == app, events.c.time >= since)
    told = sa.or_(events.c.time < until, events.c.request_id.is_not(None))
    query = sa.select(*(events.c[name] for name in _NAMES)).where(mine, told).order_by(events.c.seq).limit(page)
    while True:
        async with store.read() as connection:
            rows = (await connection.execute(query.where(events.c.seq > seq))).all()
        if rows:
            seqs, users, items, types, values, times, request_ids = zip(*rows, strict=True)
            yield LogRows(seqs, users, items, types, values, times, request_ids=request_ids)
            seq = seqs[-1]
        if len(rows) < page:
            return
