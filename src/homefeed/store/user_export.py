"""All that a store holds of one user, as they may ask for it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from homefeed.errors import InvalidError
from homefeed.store.attributes import read_attributes
from homefeed.store.items import item_ids
from homefeed.store.session import Store
from homefeed.store.tables import events, impressions
from homefeed.store.users import get_user
from homefeed.times import format_time

MOST_EXPORTED: Final = 100_000
"""How many rows, events and pages together, an export over HTTP may have."""

_EVENT: Final = ("item", "event_type", "value", "time", "received_at", "event_id", "request_id", "context")
_PAGE: Final = ("time", "request_id", "feed", "start", "items", "scores", "variant")


async def export_user(store: Store, app: str, user_id: str, most: int | None = None) -> dict[str, Any]:
    """A user's attributes, their events and the pages they were shown, as JSON, oldest first.

    A search has no `item_id`; its words are in the context. What else is stored of a page, such as features, is
    about items and models.

    Raises:
        NotFoundError: there is no such user.
        InvalidError: there are more than `most` events and pages.
    """
    user = await get_user(store, app, user_id)
    async with store.read() as connection:
        told = await _rows(connection, events, app, user.number, _EVENT, most)
        pages = await _rows(connection, impressions, app, user.number, _PAGE, most)
    if most is not None and len(told) + len(pages) > most:
        raise InvalidError(
            f"there are more than {most:,} events and pages of the user: homefeed users export {app} USER writes "
            "them all"
        )
    shown = [np.frombuffer(page.items, "<i4").tolist() for page in pages]
    numbers = {event.item for event in told}.union(*shown)
    ids = await item_ids(store, app, numbers)
    return {
        "app": app,
        "user_id": user_id,
        "attributes": dict(user.attributes),
        "events": [_event(row, ids) for row in told],
        "impressions": [_page(row, items, ids) for row, items in zip(pages, shown, strict=True)],
    }


async def _rows(
    connection: AsyncConnection, table: sa.Table, app: str, user: int, names: tuple[str, ...], most: int | None
) -> list[Any]:
    """Columns of a user's rows, by their times; one more than `most` at the most."""
    query = sa.select(*(table.c[name] for name in names)).where(table.c.app == app, table.c.user == user)
    if table is events:  # by this order SQLite takes the index by users, and of pages by none
        query = query.order_by(table.c.time, table.c.seq)
    rows = (await connection.execute(query.limit(None if most is None else most + 1))).all()
    return sorted(rows, key=lambda row: row.time)


def _event(row: Any, ids: dict[int, str]) -> dict[str, Any]:
    return {
        "item_id": ids.get(row.item),
        "event_type": row.event_type,
        "value": row.value,
        "timestamp": format_time(row.time),
        "received_at": format_time(row.received_at),
        "event_id": row.event_id,
        "request_id": row.request_id,
        "context": {} if row.context is None else read_attributes(row.context)[0],
    }


def _page(row: Any, items: list[int], ids: dict[int, str]) -> dict[str, Any]:
    scores = np.frombuffer(row.scores, "<f4").tolist()
    return {
        "request_id": row.request_id,
        "feed": row.feed,
        "variant": row.variant,
        "timestamp": format_time(row.time),
        "items": [
            {"item_id": ids.get(item), "place": row.start + place, "score": score}
            for place, (item, score) in enumerate(zip(items, scores, strict=True))
        ],
    }
