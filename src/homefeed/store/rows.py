"""The rows of an app, some at a time and in their order: for who copies all of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

from homefeed.store.session import Store
from homefeed.store.tables import events, items, users

_PAGE: Final = 5_000
_EVENT: Final = ("seq", "user", "item", "event_type", "value", "time", "event_id", "request_id", "context")
_ITEM: Final = ("number", "item_id", "attributes", "created_at", "hidden")


async def user_rows(store: Store, app: str, page: int = _PAGE) -> AsyncIterator[Sequence[Any]]:
    """The users: number, user_id, attributes."""
    query = sa.select(*(users.c[name] for name in ("number", "user_id", "attributes"))).where(users.c.app == app)
    async for rows in _pages(store, query, users.c.number, page):
        yield rows


async def item_rows(store: Store, app: str, page: int = _PAGE) -> AsyncIterator[Sequence[Any]]:
    """The items, without those that were deleted: number, item_id, attributes, created_at, hidden."""
    query = sa.select(*(items.c[name] for name in _ITEM)).where(items.c.app == app, ~items.c.deleted)
    async for rows in _pages(store, query, items.c.number, page):
        yield rows


async def event_rows(store: Store, app: str, last: int, page: int = _PAGE) -> AsyncIterator[Sequence[Any]]:
    """The events up to the row `last` of the log: seq, user, item, event_type, value, time, ids and context."""
    mine = sa.and_(events.c.app == app, events.c.seq <= last)
    async for rows in _pages(
        store, sa.select(*(events.c[name] for name in _EVENT)).where(mine), events.c.seq, page
    ):
        yield rows


async def _pages(
    store: Store, query: sa.Select[Any], key: sa.Column[int], page: int
) -> AsyncIterator[Sequence[Any]]:
    """The rows by their key, which is the first column; no transaction is open between two groups."""
    query, after = query.order_by(key).limit(page), -1
    while True:
        async with store.read() as connection:
            rows = (await connection.execute(query.where(key > after))).all()
        if rows:
            yield rows
            after = rows[-1][0]
        if len(rows) < page:
            return
