"""The users who did most lately."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from homefeed.store.attributes import read_attributes
from homefeed.store.session import Store
from homefeed.store.tables import events, users
from homefeed.types import User

LATEST_EVENTS: Final = 20_000
"""Of how many events it is counted who did most: the latest of the log."""


async def most_active_users(
    store: Store, app: str, limit: int, latest: int = LATEST_EVENTS
) -> list[tuple[User, int]]:
    """The users of most of the app's latest events, and how many are theirs; of equals those who came first."""
    log = sa.select(events.c.user).where(events.c.app == app).order_by(events.c.seq.desc()).limit(latest)
    recent = log.subquery()
    count = sa.func.count()
    by_user = sa.select(recent.c.user, count.label("events")).group_by(recent.c.user).subquery()
    query = (
        sa.select(users.c.user_id, users.c.number, users.c.attributes, by_user.c.events)
        .join_from(by_user, users, users.c.number == by_user.c.user)
        .where(users.c.app == app)
        .order_by(by_user.c.events.desc(), users.c.number)
        .limit(limit)
    )
    async with store.read() as connection:
        rows = (await connection.execute(query)).all()
    return [(User(row.user_id, row.number, *read_attributes(row.attributes)), row.events) for row in rows]
