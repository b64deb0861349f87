"""What trends, by hours, as the store keeps it: how much each item was engaged with in the last 7 days.

On PostgreSQL it is a materialised view that is refreshed while it is read, on SQLite a table that is replaced in
one transaction. An item's score of an hour is the sum of the weights of its events then: every event counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from homefeed.store.session import Store
from homefeed.store.tables import events, items, trending, trending_weights, trending_windows, users
from homefeed.types import DAY, Numbers, Scores, Times

WINDOW: Final = 7 * DAY
HOUR: Final = DAY // 24

_NOBODY: Final = "\x01"
"""In the place of what names an item's creator: no attributes hold it."""
_REFRESH: Final = "REFRESH MATERIALIZED VIEW CONCURRENTLY trending"

Transaction: TypeAlias = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


@dataclass(frozen=True, slots=True)
class Trending:
    """What trends: three columns of equal length, and of which events.

    `items` are numbers of items, `hours` hours since 1970. `refreshed_at`, in microseconds, is the time of the
    latest events that could count, None where it was never refreshed; `watermark` is how far in the log it is.
    """

    items: Numbers
    hours: Times
    scores: Scores
    refreshed_at: int | None
    watermark: int


async def refresh_trending(
    store: Store,
    app: str,
    weights: Mapping[str, float],
    now: int,
    transaction: Transaction | None = None,
    *,
    creator: str | None = None,
) -> int:
    """Have the view be of an app's events of the last 7 days before now; returns how many rows it has.

    `weights` are by event type; events of others do not count, nor does what the user did whom the attribute
    `creator` of the item names. One told with a time to come counts as of now. What is written is so within a
    `transaction`, by default one of the store's. Of other apps the view stays as it is.
    """
    write, own = transaction or store.write, _NOBODY if creator is None else f'"{creator}":"'
    if store.dialect == "postgresql":
        return await _refresh_view(store, app, weights, own, now, write)
    # Counted before writing: others may write meanwhile.
    watermark = (await store.watermarks(app)).event_seq
    async with store.read() as connection:
        rows = (await connection.execute(_counted(app, weights, own, now, watermark))).all() if weights else []
    async with write() as connection:
        await _note_window(store, connection, app, own, now, watermark)
        await connection.execute(trending.delete().where(trending.c.app == app))
        if rows:
            await connection.execute(
                trending.insert(),
                [dict(zip(("app", "item", "hour", "score"), (app, *row), strict=True)) for row in rows],
            )
    return len(rows)


async def trending_refreshed_at(store: Store, app: str) -> int | None:
    """When an app's view was refreshed, in microseconds; None where it never was."""
    query = sa.select(trending_windows.c.refreshed_at).where(trending_windows.c.app == app)
    async with store.read() as connection:
        found: int | None = (await connection.execute(query)).scalar()
    return found


async def read_trending(store: Store, app: str) -> Trending:
    """What trends in an app, by item and hour."""
    columns = sa.select(trending.c.item, trending.c.hour, trending.c.score)
    window = sa.select(trending_windows.c.refreshed_at, trending_windows.c.watermark)
    async with store.read() as connection:
        noted = (await connection.execute(window.where(trending_windows.c.app == app))).first()
        found = await connection.execute(
            columns.where(trending.c.app == app).order_by(trending.c.item, trending.c.hour)
        )
        found_items, hours, scores = _columns(found.all())
    refreshed_at, watermark = (None, 0) if noted is None else noted
    return Trending(found_items, hours, scores, refreshed_at, watermark)


def _columns(rows: Sequence[Any]) -> tuple[Numbers, Times, Scores]:
    numbers, hours, scores = zip(*rows, strict=True) if rows else ((), (), ())
    return np.array(numbers, np.int32), np.array(hours, np.int64), np.array(scores, np.float32)


def _counted(app: str, weights: Mapping[str, float], own: str, now: int, watermark: int) -> sa.Select[Any]:
    hour = (sa.func.min(events.c.time, now) // sa.literal_column(str(HOUR), sa.BigInteger)).label("hour")
    score = sa.func.sum(sa.case(dict(weights), value=events.c.event_type))
    return (
        sa.select(events.c.item, hour, score)
        .join(users, sa.and_(users.c.app == events.c.app, users.c.number == events.c.user))
        .join(items, sa.and_(items.c.app == events.c.app, items.c.number == events.c.item))
        .where(events.c.app == app, events.c.seq <= watermark)
        .where(events.c.time > now - WINDOW, events.c.event_type.in_(weights))
        .where(sa.func.instr(items.c.attributes, sa.literal(own) + users.c.user_id + '"') == 0)
        .group_by(events.c.item, hour)
    )


async def _refresh_view(
    store: Store, app: str, weights: Mapping[str, float], own: str, now: int, write: Transaction
) -> int:
    async with write() as connection:
        # What other apps lost since their own refresh, as by an erasure, they lose now.
        watermark = (await store.watermarks(app)).event_seq
        await _note_window(store, connection, app, own, now, watermark)
        await connection.execute(trending_weights.delete().where(trending_weights.c.app == app))
        if weights:
            rows = [{"app": app, "event_type": name, "weight": weight} for name, weight in weights.items()]
            await connection.execute(trending_weights.insert(), rows)
        await connection.exec_driver_sql(_REFRESH)
        count = sa.select(sa.func.count()).select_from(trending).where(trending.c.app == app)
        return int((await connection.execute(count)).scalar_one())


async def _note_window(
    store: Store, connection: AsyncConnection, app: str, own: str, now: int, watermark: int
) -> None:
    window = {"since": now - WINDOW, "refreshed_at": now, "watermark": watermark, "creator": own}
    insert = store.insert(trending_windows).values(app=app, **window)
    await connection.execute(insert.on_conflict_do_update(index_elements=["app"], set_=window))
