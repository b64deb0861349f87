"""The event log: append (durable, idempotent), and read by user or past a watermark."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from homefeed.errors import NotFoundError
from homefeed.store.direct import Rows
from homefeed.store.items import item_numbers
from homefeed.store.partitions import delete_events, drop_partitions, ensure_partitions
from homefeed.store.session import Store
from homefeed.store.tables import event_ids, events, items, users, without_id
from homefeed.store.users import ensure_users
from homefeed.types import Event, User


class Outcome(Enum):
    """The outcome of an appended event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    UNKNOWN_ITEM = "unknown item"
    UNKNOWN_USER = "unknown user"


@dataclass(frozen=True, slots=True)
class LogRows:
    """Rows of the log as columns, in its order. `values` has None for events without a value.

    `items` hold `NO_ITEM` where an event is about a query. `queries` hold its words, None for other events; they
    are only read with all rows of a user.
    """

    seqs: Sequence[int]
    users: Sequence[int]
    items: Sequence[int]
    types: Sequence[str]
    values: Sequence[float | None]
    times: Sequence[int]
    queries: Sequence[str | None] = ()

    def __len__(self) -> int:
        return len(self.seqs)


NO_ITEM: Final = 0
"""The number in place of an item's in events about a query: items are numbered from 1."""

NO_ROWS: Final = LogRows((), (), (), (), (), ())
_ROW: Final = ("seq", "user", "item", "event_type", "value", "time")


@dataclass(frozen=True, slots=True)
class Totals:
    """Counts and times of an app's log. Times are None if it is empty."""

    items: int
    hidden_items: int
    users: int
    events: int
    first_event: int | None
    last_event: int | None
    events_per_minute: float


def event_key(event: Event) -> bytes:
    """The 16 bytes that make an event idempotent: of its event_id, else of all its fields.

    So the same event sent twice, by a file or over HTTP, counts once.
    """
    whole = (event.user_id, event.item_id, event.event_type, event.value, event.time, event.event_id)
    return row_key(*whole, event.query)


def row_key(
    user_id: str,
    item_id: str,
    event_type: str,
    value: float | None,
    time: int,
    event_id: str | None,
    query: str | None = None,
) -> bytes:
    """The key of an event given as the cells of a row; `item_id` is empty where it is about a `query`."""
    if event_id is not None:
        return content_key("id", event_id)
    # 3 is 3.0, and -0.0 is 0.0.
    number = None if value is None else value + 0.0
    about = repr(item_id) if item_id else f"query {query!r}"
    content = f"{user_id!r},{about},{event_type!r},{number!r},{time}".encode()
    # Keys begin with the time (to 32 microseconds): those of one moment are together in the index. Random ones
    # would each touch a page of their own, which at five million events doubles the cost of writing.
    return (time >> 5 & _MOMENTS).to_bytes(6, "big") + hashlib.blake2b(content, digest_size=10).digest()


def content_key(*parts: str | float | int | None) -> bytes:
    """16 bytes that differ where any part differs."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


async def append_events(store: Store, app: str, batch: Sequence[Event], received_at: int) -> list[Outcome]:
    """Write events in one transaction, durable on return; returns the outcome of each.

    An event whose key is in the log, or earlier in the batch, is a duplicate: the first one counts.
    Users who are new are created.
    """
    async with store.write() as connection:
        last = (await store.advance(connection, app, event_seq=len(batch))).event_seq
        numbers = await item_numbers(connection, app, {event.item_id for event in batch} - {""}) | {"": NO_ITEM}
        known = {event.user_id for event in batch if event.item_id in numbers}
        user_of = await ensure_users(store, connection, app, known)
        rows: dict[bytes, dict[str, Any]] = {}
        outcomes = []
        for seq, event in enumerate(batch, last - len(batch) + 1):
            key = event_key(event)
            if event.item_id not in numbers:
                outcomes.append(Outcome.UNKNOWN_ITEM)
            elif key in rows:
                outcomes.append(Outcome.DUPLICATE)
            else:
                outcomes.append(Outcome.ACCEPTED)
                rows[key] = _row(app, seq, key, user_of[event.user_id], numbers[event.item_id], event, received_at)
        if rows:
            written = await _insert(store, connection, app, list(rows.values()))
            first = last - len(batch) + 1
            for index, outcome in enumerate(outcomes):
                if outcome is Outcome.ACCEPTED and first + index not in written:
                    outcomes[index] = Outcome.DUPLICATE
    return outcomes


async def rows_after(store: Store, app: str, seq: int, limit: int, until: int | None = None) -> LogRows:
    """Up to `limit` rows of the log beyond `seq`, and none beyond `until`."""
    until = _LAST_SEQ if until is None else until
    values = {"app": app, "seq": seq, "until": until, "most": limit}
    rows: Rows
    if until - seq <= _FEW:
        rows = await store.fetch(_ROWS_AFTER, **values)
    else:
        async with store.read() as connection:
            rows = (await connection.execute(_ROWS_AFTER, values)).all()
    return LogRows(*zip(*rows, strict=True)) if rows else NO_ROWS


async def prune_events(store: Store, app: str, before: int) -> int:
    """Delete the events older than a time; returns how many. Their counts stay until the next training."""
    dropped = await drop_partitions(store, app, before)
    async with store.write() as connection:
        await store.advance(connection, app)
        old = sa.and_(events.c.app == app, events.c.time < before)
        return dropped + await delete_events(store, connection, old)


async def rows_of_user(store: Store, app: str, user_id: str) -> tuple[User, LogRows]:
    """A user and all their rows, in the order of their times, by one query: it stands in the way of a request.

    Raises:
        NotFoundError: there is no such user.
    """
    found = await store.fetch(_ROWS_OF_USER, app=app, user_id=user_id)
    if not found:
        raise NotFoundError(f'no user "{user_id}" in {app}')
    number, attributes, first, *_ = found[0]
    user = User(user_id, number, orjson.loads(attributes))
    if first is None:
        return user, NO_ROWS
    _, _, *columns, contexts = zip(*found, strict=True)
    rows = LogRows(*columns)
    return user, replace(rows, queries=[None if text is None else _query(text) for text in contexts])


async def latest_of_user(
    store: Store, app: str, user_id: str, limit: int, since: int | None = None
) -> list[tuple[Event, str | None]]:
    """The user's newest events, newest first, each with the attributes of its item as JSON.

    They are None where the item is deleted, or the event about a query. None is earlier than `since`.
    """
    columns = ("event_type", "time", "value", "event_id", "request_id", "context")
    recent = sa.true() if since is None else events.c.time >= since
    query = (
        sa.select(items.c.item_id, items.c.attributes, items.c.deleted, *(events.c[name] for name in columns))
        .join(users, sa.and_(users.c.app == events.c.app, users.c.number == events.c.user))
        .outerjoin(items, sa.and_(items.c.app == events.c.app, items.c.number == events.c.item))
        .where(events.c.app == app, users.c.user_id == user_id, recent)
        .order_by(events.c.time.desc(), events.c.seq.desc())
        .limit(limit)
    )
    async with store.read() as connection:
        rows = (await connection.execute(query)).all()
    return [(_event(user_id, row), None if row.deleted else row.attributes) for row in rows]


async def totals(store: Store, app: str, now: int) -> Totals:
    """Counts and dates of an app, and how many events arrived in the last minute."""
    mine = events.c.app == app
    queries = {
        "items": sa.select(sa.func.count()).select_from(items).where(items.c.app == app, ~items.c.deleted),
        "hidden_items": sa.select(sa.func.count())
        .select_from(items)
        .where(items.c.app == app, items.c.hidden, ~items.c.deleted),
        "users": sa.select(sa.func.count()).select_from(users).where(users.c.app == app),
    }
    log = sa.select(sa.func.count(), sa.func.min(events.c.time), sa.func.max(events.c.time)).where(mine)
    newest = sa.select(events.c.received_at).where(mine).order_by(events.c.seq.desc()).limit(_TAIL)
    async with store.read() as connection:
        counts = {name: (await connection.execute(query)).scalar_one() for name, query in queries.items()}
        count, first, last = (await connection.execute(log)).one()
        arrivals = list((await connection.execute(newest)).scalars())
    return Totals(
        **counts,
        events=count,
        first_event=first,
        last_event=last,
        events_per_minute=_per_minute(arrivals, now),
    )


async def _insert(store: Store, connection: AsyncConnection, app: str, rows: Sequence[dict[str, Any]]) -> set[int]:
    """Write the rows with new keys; returns their seqs."""
    insert = store.insert(events)
    if store.dialect == "sqlite":
        once = insert.on_conflict_do_nothing(index_elements=["app", "key"])
    else:
        once = insert.on_conflict_do_nothing(index_elements=["app", "key", "time"], index_where=without_id)
        await ensure_partitions(store, connection, app, [row["time"] for row in rows])
        rows = await _with_new_ids(store, connection, rows)
    if not rows:
        return set()
    return set((await connection.execute(once.returning(events.c.seq), rows)).scalars())


async def _with_new_ids(
    store: Store, connection: AsyncConnection, rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    ids = [{name: row[name] for name in ("app", "key", "seq")} for row in rows if row["event_id"] is not None]
    if not ids:
        return list(rows)
    insert = store.insert(event_ids).on_conflict_do_nothing(index_elements=["app", "key"])
    new = set((await connection.execute(insert.returning(event_ids.c.seq), ids)).scalars())
    return [row for row in rows if row["event_id"] is None or row["seq"] in new]


_ROWS_AFTER: Final = (
    sa.select(*(events.c[name] for name in _ROW))
    .where(
        events.c.app == sa.bindparam("app"),
        events.c.seq > sa.bindparam("seq"),
        events.c.seq <= sa.bindparam("until"),
    )
    .order_by(events.c.seq)
    .limit(sa.bindparam("most", type_=sa.BigInteger))
)
_ROWS_OF_USER: Final = (
    sa.select(
        users.c.number,
        users.c.attributes,
        *(events.c[name] for name in _ROW),
        sa.case((events.c.item == NO_ITEM, events.c.context)),
    )
    .select_from(
        users.outerjoin(events, sa.and_(events.c.app == sa.bindparam("app"), events.c.user == users.c.number))
    )
    .where(users.c.app == sa.bindparam("app"), users.c.user_id == sa.bindparam("user_id"))
    .order_by(events.c.time, events.c.seq)
)
_LAST_SEQ = 2**63 - 1
_FEW = 256
_MOMENTS = (1 << 48) - 1
_TAIL = 10_000
_MINUTE = 60_000_000


def _per_minute(arrivals: Sequence[int], now: int) -> float:
    recent = [time for time in arrivals if now - time < _MINUTE]
    if len(recent) < _TAIL:
        return float(len(recent))
    return float(round(len(recent) * _MINUTE / max(now - recent[-1], 1)))


def _query(context: str) -> str:
    return str(orjson.loads(context)["query"])


def _row(app: str, seq: int, key: bytes, user: int, item: int, event: Event, received_at: int) -> dict[str, Any]:
    return {
        "app": app,
        "seq": seq,
        "key": key,
        "user": user,
        "item": item,
        "event_type": event.event_type,
        "value": event.value,
        "time": event.time,
        "received_at": received_at,
        "event_id": event.event_id,
        "request_id": event.request_id,
        "context": orjson.dumps(event.context).decode() if event.context else None,
    }


def _event(user_id: str, row: Any) -> Event:
    context = orjson.loads(row.context) if row.context else {}
    item_id = row.item_id or ""
    return Event(user_id, item_id, row.event_type, row.time, row.value, row.event_id, row.request_id, context)
