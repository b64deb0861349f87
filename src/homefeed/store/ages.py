"""How old the rows of an app's event log and of its impressions are."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from homefeed.store.session import Store
from homefeed.store.tables import events, impressions

EVENTS: Final = events
IMPRESSIONS: Final = impressions
_LATEST: Final = 1_000


async def newest_time(store: Store, app: str, now: int) -> int | None:
    """The newest time, none to come, of the app's latest events and of its impressions; None without any."""
    latest = sa.select(events.c.time).where(events.c.app == app).order_by(events.c.seq.desc()).limit(_LATEST)
    written = latest.subquery()
    queries = (
        sa.select(sa.func.max(written.c.time)).where(written.c.time <= now),
        sa.select(sa.func.max(impressions.c.time)).where(impressions.c.app == app, impressions.c.time <= now),
    )
    async with store.read() as connection:
        found = [(await connection.execute(query)).scalar_one() for query in queries]
    return max((time for time in found if time is not None), default=None)


async def count_older(store: Store, table: sa.Table, app: str, before: int) -> int:
    """How many rows are older than a time."""
    return await _count(store, sa.select(table.c.time).where(table.c.app == app, table.c.time < before))


async def count_newer(store: Store, table: sa.Table, app: str, since: int, most: int) -> int:
    """How many rows are not: it is counted no further than `most`, and the rest is not read."""
    query = sa.select(table.c.time).where(table.c.app == app, table.c.time >= since)
    return await _count(store, query.limit(most))


async def _count(store: Store, rows: sa.Select[tuple[int]]) -> int:
    async with store.read() as connection:
        found = await connection.execute(sa.select(sa.func.count()).select_from(rows.subquery()))
        return int(found.scalar_one())
