"""The event log: append (durable, idempotent), and read by user or past a watermark."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from homefeed.errors import NotFoundError
from homefeed.store.attributes import read_attributes
from homefeed.store.identity import NO_ITEM, Content, content_of_row, event_key
from homefeed.store.impressions import owners_of_requests
from homefeed.store.items import item_numbers
from homefeed.store.partitions import delete_events, drop_partitions, ensure_partitions
from homefeed.store.session import BRIEF, PRUNED_AT_ONCE, Store, chunked
from homefeed.store.tables import event_ids, events, items, users, without_id
from homefeed.store.users import create_users, user_numbers
from homefeed.types import Event, User


class Outcome(Enum):
    """The outcome of an appended event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    UNKNOWN_ITEM = "unknown item"
    UNKNOWN_USER = "unknown user"
    CONFLICT = "another event of the user has its id"
    FOREIGN_PAGE = "its page is another user's"


@dataclass(frozen=True, slots=True)
class LogRows:
    """Rows of the log as columns, in its order. `values` has None for events without a value.

    `items` hold `NO_ITEM` where an event is about a query. `queries` hold its words, None for other events; they
    are only read with all rows of a user. `user_ids` are only read where they are asked for, `request_ids`, None
    where an event names no request, and `seconds`, what its context says of the time that was spent, if anything,
    only with the events of a period.
    """

    seqs: Sequence[int]
    users: Sequence[int]
    items: Sequence[int]
    types: Sequence[str]
    values: Sequence[float | None]
    times: Sequence[int]
    queries: Sequence[str | None] = ()
    user_ids: Sequence[str] = ()
    request_ids: Sequence[str | None] = ()
    seconds: Sequence[float | None] = ()

    def __len__(self) -> int:
        return len(self.seqs)

    def __getitem__(self, part: slice) -> LogRows:
        return LogRows(*(getattr(self, column.name)[part] for column in fields(self)))


NO_ROWS: Final = LogRows((), (), (), (), (), ())
_ROW: Final = ("seq", "user", "item", "event_type", "value", "time")
_COLUMNS: Final = ("seqs", "users", "items", "types", "values", "times")
_ANYBODY: Final[set[int | None]] = {None}
_NOTHING_SHOWN: Final[Mapping[str, int | None]] = {}


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


async def append_events(
    store: Store,
    app: str,
    batch: Sequence[Event],
    received_at: int,
    shown: Mapping[str, int | None] = _NOTHING_SHOWN,
) -> list[Outcome]:
    """Write events in one transaction, durable on return; returns the outcome of each.

    Of events with the same key, in the log or earlier in the batch, the first one counts. Users who are new are
    created. `shown` has users of pages by `request_id`, beside those that the impressions in the store know.
    """
    async with store.write(brief=len(batch) <= BRIEF) as connection:
        last = (await store.advance(connection, app, event_seq=len(batch))).event_seq
        numbers = await item_numbers(connection, app, {event.item_id for event in batch} - {""}) | {"": NO_ITEM}
        known = {event.user_id for event in batch if event.item_id in numbers}
        user_of = await user_numbers(connection, app, known)
        owners = await _owners_of_pages(connection, app, batch, shown)
        refused = _refused(batch, numbers, user_of, owners)
        good = {index: event for index, event in enumerate(batch) if index not in refused}
        new = {event.user_id for event in good.values()} - user_of.keys()
        user_of |= await create_users(store, connection, app, new)
        rows: dict[bytes, dict[str, Any]] = {}
        keys = {index: event_key(event) for index, event in good.items()}
        first = last - len(batch) + 1
        for index, event in good.items():
            if (key := keys[index]) not in rows:
                user, item = user_of[event.user_id], numbers[event.item_id]
                rows[key] = _row(app, first + index, key, user, item, event, received_at)
        written = await _insert(store, connection, app, list(rows.values())) if rows else set()
        retold = {index: event for index, event in good.items() if first + index not in written}
        differing = await _differing(store, connection, app, retold, keys, numbers) if retold else set()
    accepted = dict.fromkeys(good, Outcome.ACCEPTED)
    duplicates = dict.fromkeys(retold, Outcome.DUPLICATE) | dict.fromkeys(differing, Outcome.CONFLICT)
    outcomes = accepted | duplicates | refused
    return [outcomes[index] for index in range(len(batch))]


async def rows_after(
    store: Store, app: str, seq: int, limit: int, until: int | None = None, *, user_ids: bool = False
) -> LogRows:
    """Up to `limit` rows of the log beyond `seq`, and none beyond `until`; with `user_ids` if asked."""
    until = _LAST_SEQ if until is None else until
    query = _ROWS_AND_IDS_AFTER if user_ids else _ROWS_AFTER
    rows = await store.rows(query, until - seq, app=app, seq=seq, until=until, limit=limit)
    if not rows:
        return NO_ROWS
    columns = dict(zip((*_COLUMNS, "user_ids"), zip(*rows, strict=True), strict=False))
    return LogRows(**columns)


async def prune_events(store: Store, app: str, before: int) -> int:
    """Delete the events older than a time; returns how many. Their counts stay until the next training."""
    gone = await drop_partitions(store, app, before)
    old = sa.and_(events.c.app == app, events.c.time < before)
    while True:  # in steps, so that other writers get their turn
        async with store.write() as connection:
            await store.advance(connection, app)
            found = await connection.execute(sa.select(events.c.seq).where(old).limit(PRUNED_AT_ONCE))
            seqs = found.scalars().all()
            for chunk in chunked(seqs):
                gone += await delete_events(store, connection, sa.and_(old, events.c.seq.in_(chunk)))
        if len(seqs) < PRUNED_AT_ONCE:
            return gone


async def rows_of_user(store: Store, app: str, user_id: str) -> tuple[User, LogRows]:
    """A user and all their rows, in the order of their times, by one query: it stands in the way of a request.

    Raises:
        NotFoundError: there is no such user.
    """
    found = await store.fetch(_ROWS_OF_USER, app=app, user_id=user_id)
    if not found:
        raise NotFoundError(f'no user "{user_id}" in {app}')
    number, attributes, first, *_ = found[0]
    user = User(user_id, number, *read_attributes(attributes))
    if first is None:
        return user, NO_ROWS
    _, _, *columns, contexts = zip(*found, strict=True)
    rows = LogRows(*columns)
    return user, replace(rows, queries=[None if text is None else _query(text) for text in contexts])


async def row_of_user(store: Store, app: str, user_id: str) -> User:
    """A user without anything that they did: it stands in the way of a request, too.

    Raises:
        NotFoundError: there is no such user.
    """
    found = await store.fetch(_ROW_OF_USER, app=app, user_id=user_id)
    if not found:
        raise NotFoundError(f'no user "{user_id}" in {app}')
    return User(user_id, found[0][0], *read_attributes(found[0][1]))


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


async def _owners_of_pages(
    connection: AsyncConnection, app: str, batch: Sequence[Event], shown: Mapping[str, int | None]
) -> dict[str, set[int | None]]:
    """The users of the pages that events name, as far as they are known."""
    named = {event.request_id for event in batch if event.request_id is not None}
    if not named:
        return {}
    owners = await owners_of_requests(connection, app, named)
    for request_id in named & shown.keys():
        owners.setdefault(request_id, set()).add(shown[request_id])
    return owners


def _refused(
    batch: Sequence[Event],
    items: Mapping[str, int],
    user_of: Mapping[str, int],
    owners: Mapping[str, set[int | None]],
) -> dict[int, Outcome]:
    """The outcomes of events, by index, that are of unknown items or name another user's page."""
    refused: dict[int, Outcome] = {}
    for index, event in enumerate(batch):
        if event.item_id not in items:
            refused[index] = Outcome.UNKNOWN_ITEM
        elif not owners.get(event.request_id or "", _ANYBODY) & {None, user_of.get(event.user_id)}:
            refused[index] = Outcome.FOREIGN_PAGE
    return refused


async def _differing(
    store: Store,
    connection: AsyncConnection,
    app: str,
    retold: Mapping[int, Event],
    keys: Mapping[int, bytes],
    items: Mapping[str, int],
) -> set[int]:
    """Of events whose keys are in the log already, those that say something else than it does, by index."""
    named = {index: event for index, event in retold.items() if event.event_id is not None}
    logged = await _contents(store, connection, app, {keys[index] for index in named})
    return {
        index
        for index, event in named.items()
        if not Content(items[event.item_id], event.event_type, event.value, event.query, event.time).agrees(
            logged[keys[index]], time_told=event.time_told
        )
    }


async def _contents(
    store: Store, connection: AsyncConnection, app: str, keys: Collection[bytes]
) -> dict[bytes, Content]:
    """What the logged events with these keys, made of event ids, say."""
    found: dict[bytes, Content] = {}
    ids = events if store.dialect == "sqlite" else event_ids
    columns = (events.c[name] for name in ("item", "event_type", "value", "time", "context"))
    query = sa.select(ids.c.key, *columns).where(ids.c.app == app, events.c.app == app)
    if ids is not events:
        query = query.where(events.c.seq == ids.c.seq)
    for chunk in chunked(sorted(keys)):
        for key, *row in await connection.execute(query.where(ids.c.key.in_(chunk))):
            found[key] = content_of_row(*row)
    return found


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
    .limit(sa.bindparam("limit", type_=sa.BigInteger))
)
_ROWS_AND_IDS_AFTER: Final = _ROWS_AFTER.add_columns(users.c.user_id).join(
    users, sa.and_(users.c.app == events.c.app, users.c.number == events.c.user)
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
_ROW_OF_USER: Final = sa.select(users.c.number, users.c.attributes).where(
    users.c.app == sa.bindparam("app"), users.c.user_id == sa.bindparam("user_id")
)
_LAST_SEQ = 2**63 - 1
_TAIL = 10_000
_MINUTE = 60_000_000


def _per_minute(arrivals: Sequence[int], now: int) -> float:
    recent = [time for time in arrivals if abs(now - time) < _MINUTE]
    if len(recent) < _TAIL:
        return float(len(recent))
    return float(round(len(recent) * _MINUTE / max(now - recent[-1], 1)))


def _query(context: str) -> str | None:
    """The words of a search; None where its row cannot be read."""
    query = read_attributes(context)[0].get("query")
    return None if query is None else str(query)


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
    context = read_attributes(row.context)[0] if row.context else {}
    item_id = row.item_id or ""
    return Event(user_id, item_id, row.event_type, row.time, row.value, row.event_id, row.request_id, context)
