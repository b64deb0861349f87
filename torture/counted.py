"""What the log holds in the end, whatever the servers say."""

from __future__ import annotations

import asyncio
from collections import Counter

import sqlalchemy as sa

from homefeed.store import open_store
from homefeed.store.tables import events


def logged_events(store_url: str, prefix: str = "") -> Counter[str]:
    """How often each event with such an id is in the log."""

    async def read() -> Counter[str]:
        query = sa.select(events.c.event_id).where(events.c.event_id.like(f"{prefix}%"))
        async with open_store(store_url) as store, store.read() as connection:
            return Counter(map(str, await connection.scalars(query)))

    return asyncio.run(read())
