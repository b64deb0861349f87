"""When users were seen for the first time."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from homefeed.store.session import Store, chunked
from homefeed.store.tables import events, impressions

_TABLES: Final = (events, impressions)


async def first_seen(store: Store, app: str, since: int, until: int) -> dict[int, int]:
    """When the first event or page was, of what is there, of each user who was shown anything in a period.

    Times are in microseconds, by the users' numbers. The period is from `since` to before `until`.
    """
    shown = sa.and_(impressions.c.app == app, impressions.c.time >= since, impressions.c.time < until)
    query = sa.select(impressions.c.user).where(shown, impressions.c.user.is_not(None)).distinct()
    async with store.read() as connection:
        users = sorted((await connection.execute(query)).scalars())
    found: dict[int, int] = {}
    for chunk in chunked(users):
        for table in _TABLES:
            by_user = sa.select(table.c.user, sa.func.min(table.c.time)).group_by(table.c.user)
            async with store.read() as connection:
                rows = await connection.execute(by_user.where(table.c.app == app, table.c.user.in_(chunk)))
                for user, time in rows:
                    found[user] = min(found.get(user, time), time)
    return found
