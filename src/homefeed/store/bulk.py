"""Many events at once: each batch is one transaction, by the driver's fastest method."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from homefeed.errors import HomefeedError
from homefeed.store.attributes import read_attributes
from homefeed.store.identity import Content, content_of_row
from homefeed.store.partitions import ensure_partitions
from homefeed.store.session import Store, chunked
from homefeed.store.tables import events, items, users

_PAGE: Final = 100_000
_BEFORE_BULK: Final = ("PRAGMA cache_size = -131072", "PRAGMA wal_autocheckpoint = 65536")
_AFTER_BULK: Final = (
    "PRAGMA cache_size = -65536",
    "PRAGMA wal_autocheckpoint = 1000",
    "PRAGMA shrink_memory",
    "PRAGMA busy_timeout = 1000",
    "PRAGMA wal_checkpoint(TRUNCATE)",
)
_COLUMNS: Final = ("seq", "key", "user", "item", "event_type", "value", "time", "event_id")
_ONCE: Final = "ON CONFLICT (app, key) DO NOTHING"
_ROWS_PER_STATEMENT: Final = 200
_KEYS_PER_LOOKUP: Final = 5_000
_LOOK_UP: Final = (
    "SELECT wanted.key, events.seq FROM wanted CROSS JOIN events ON events.app = ? AND events.key = wanted.key"
)
_READ: Final = (
    "SELECT wanted.key, events.item, event_type, value, time, context "
    "FROM wanted CROSS JOIN events ON events.app = ? AND events.key = wanted.key"
)
_ONCE_IN_MONTH: Final = "ON CONFLICT (app, key, time) WHERE event_id IS NULL DO NOTHING"
_NEW_IDS: Final = (
    "WITH new_ids AS (INSERT INTO event_ids (app, key, seq) SELECT $1, key, seq FROM staged_events "
    "WHERE event_id IS NOT NULL ORDER BY seq ON CONFLICT (app, key) DO NOTHING RETURNING seq) "
)
_ID_IS_NEW: Final = "LEFT JOIN new_ids USING (seq) WHERE event_id IS NULL OR new_ids.seq IS NOT NULL"
_FIND_STAGED: Final = (
    "SELECT staged.seq, events.seq FROM staged_events AS staged "
    "JOIN events ON events.app = $1 AND events.key = staged.key AND events.time = staged.time "
    "AND events.time BETWEEN $2 AND $3 AND events.event_id IS NULL "
    "WHERE staged.event_id IS NULL AND events.seq <> staged.seq "
    "UNION ALL SELECT staged.seq, event_ids.seq FROM staged_events AS staged "
    "JOIN event_ids ON event_ids.app = $1 AND event_ids.key = staged.key WHERE event_ids.seq <> staged.seq"
)
_READ_STAGED: Final = (
    "SELECT staged.seq, events.item, events.event_type, events.value, events.time, events.context "
    "FROM staged_events AS staged "
    "JOIN event_ids ON event_ids.app = $1 AND event_ids.key = staged.key AND event_ids.seq <> staged.seq "
    "JOIN events ON events.app = $1 AND events.seq = event_ids.seq AND events.time = staged.time "
    "AND events.time BETWEEN $2 AND $3 WHERE staged.event_id IS NOT NULL"
)


class StaleNumbersError(HomefeedError):
    """A user was erased since the numbers of the users were read: read them again."""


@dataclass(frozen=True, slots=True)
class EventColumns:
    """Events as columns of equal length; `keys` as of `row_key`, users and items by number.

    An event about a query has `NO_ITEM`. `contexts` are JSON objects; without them no event has one.
    """

    keys: Sequence[bytes]
    users: Sequence[int]
    items: Sequence[int]
    types: Sequence[str]
    values: Sequence[float | None]
    times: Sequence[int]
    event_ids: Sequence[str | None]
    contexts: Sequence[str | None] | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def content(self, index: int) -> Content:
        """What an event says."""
        context = None if self.contexts is None else self.contexts[index]
        row = (self.items[index], self.types[index], self.values[index], self.times[index])
        return content_of_row(*row, context)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the log that these events fill, the seq first."""
        return _COLUMNS if self.contexts is None else (*_COLUMNS, "context")


@dataclass(frozen=True, slots=True)
class Appended:
    """The outcome of a batch: `duplicates` maps each row not written to the seq of the event that counts.

    The batch took the seqs from `first_seq` on, one for each row, written or not. `conflicts` are the rows not
    written because another event of their user has their event_id.
    """

    first_seq: int
    inserted: int
    duplicates: dict[int, int]
    conflicts: frozenset[int] = frozenset()


async def append_rows(
    store: Store, app: str, rows: EventColumns, received_at: int, erasures: int | None = None
) -> Appended:
    """Write events in one transaction, durable on return. Events with a key in the log are skipped.

    `erasures` is the app's counter of that name from when the numbers of the users were read.

    Raises:
        StaleNumbersError: a user was erased since then; nothing was written.
    """
    async with store.write() as connection:
        counters = await store.advance(connection, app, event_seq=len(rows))
        if erasures is not None and counters.erasures != erasures:
            raise StaleNumbersError("a user was erased while events were being imported")
        first = counters.event_seq - len(rows) + 1
        await ensure_partitions(store, connection, app, rows.times)
        on_sqlite = store.dialect == "sqlite"
        insert = _insert_sqlite if on_sqlite else _insert_postgresql
        inserted = await insert(connection, app, received_at, first, rows)
        if inserted == len(rows):
            return Appended(first, inserted, {})
        find_duplicates = _duplicates_sqlite if on_sqlite else _duplicates_postgresql
        found = await find_duplicates(connection, app, first, rows)
        named = [index for index in found if rows.event_ids[index] is not None]
        if not named:
            return Appended(first, inserted, found)
        read = _contents_sqlite if on_sqlite else _contents_postgresql
        logged = await read(connection, app, first, rows, named)
        conflicts = frozenset(index for index in named if logged.get(index) != rows.content(index))
        duplicates = {index: seq for index, seq in found.items() if index not in conflicts}
        return Appended(first, inserted, duplicates, conflicts)


async def analyse(store: Store) -> None:
    """Update PostgreSQL's statistics of the tables; to be called after the first rows and after the last.

    Autovacuum would update them a minute later, and until then a look-up by id would read all rows of the app.
    """
    if store.dialect == "postgresql":
        async with store.write() as connection:
            await connection.execute(sa.text("ANALYZE users, items, events, event_ids, impressions"))


async def settle(store: Store) -> None:
    """After the last batch: release the memory and the disk space that bulk writing took."""
    await analyse(store)
    if store.dialect == "sqlite":
        async with store.writer.connect() as connection:
            driver = await _driver(connection)
            ((patience,),) = await driver.execute_fetchall("PRAGMA busy_timeout")
            for pragma in (*_AFTER_BULK, f"PRAGMA busy_timeout = {patience}"):
                await driver.execute_fetchall(pragma)


async def user_pages(store: Store, app: str) -> AsyncIterator[tuple[Sequence[str], Sequence[int]]]:
    """The ids and numbers of all users, in parts."""
    async for page in _pages(store, users.c.user_id, users.c.number, users.c.app == app):
        yield page


async def item_pages(store: Store, app: str) -> AsyncIterator[tuple[Sequence[str], Sequence[int]]]:
    """The ids and numbers of all items that are not deleted, in parts."""
    async for page in _pages(
        store, items.c.item_id, items.c.number, sa.and_(items.c.app == app, ~items.c.deleted)
    ):
        yield page


async def attributes_of(
    store: Store, app: str, kind: Literal["users", "items"], ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """All attributes, by id, for the ids that are users or existing items."""
    table, name = (users, users.c.user_id) if kind == "users" else (items, items.c.item_id)
    there = sa.true() if kind == "users" else ~items.c.deleted
    found: dict[str, dict[str, Any]] = {}
    async with store.read() as connection:
        for chunk in chunked(ids):
            query = sa.select(name, table.c.attributes).where(table.c.app == app, name.in_(chunk), there)
            found.update((key, read_attributes(text)[0]) for key, text in await connection.execute(query))
    return found


async def _pages(
    store: Store, ids: sa.ColumnElement[str], numbers: sa.ColumnElement[int], where: sa.ColumnElement[bool]
) -> AsyncIterator[tuple[Sequence[str], Sequence[int]]]:
    last = -1
    while True:
        query = sa.select(ids, numbers).where(where, numbers > last).order_by(numbers).limit(_PAGE)
        async with store.read() as connection:
            rows = (await connection.execute(query)).all()
        if not rows:
            return
        id_list, number_list = zip(*rows, strict=True)
        yield id_list, number_list
        last = number_list[-1]


async def _driver(connection: AsyncConnection) -> Any:
    return (await connection.get_raw_connection()).driver_connection


def _records(first: int, rows: EventColumns) -> tuple[Iterable[Any], ...]:
    seqs = range(first, first + len(rows))
    columns = (rows.keys, rows.users, rows.items, rows.types, rows.values, rows.times, rows.event_ids)
    return (seqs, *columns) if rows.contexts is None else (seqs, *columns, rows.contexts)


async def _insert_sqlite(
    connection: AsyncConnection, app: str, received_at: int, first: int, rows: EventColumns
) -> int:
    driver = await _driver(connection)
    for pragma in _BEFORE_BULK:
        await driver.execute_fetchall(pragma)
    cells = chain.from_iterable(zip(*_records(first, rows), strict=True))
    whole, rest = divmod(len(rows), _ROWS_PER_STATEMENT)
    inserted = 0
    for statements, size in ((whole, _ROWS_PER_STATEMENT), (1, rest)):
        if statements and size:
            parameters = ((app, received_at, *islice(cells, size * len(rows.names))) for _ in range(statements))
            cursor = await driver.executemany(_insert_of(size, rows.names), parameters)
            inserted += cursor.rowcount
            await cursor.close()
    return inserted


def _insert_of(rows: int, names: Sequence[str]) -> str:
    # OR FAIL: a statement that may have to undo its own first rows costs SQLite a copy of every page it changes.
    # Here a failure rolls back the whole transaction anyway.
    values = ", ".join([f"(?1, ?2{', ?' * len(names)})"] * rows)
    return f"INSERT OR FAIL {_into(names)} VALUES {values} {_ONCE}"  # noqa: S608  # constants only


def _into(names: Sequence[str]) -> str:
    return f"INTO events (app, received_at, {_quoted(names)})"


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


async def _insert_postgresql(
    connection: AsyncConnection, app: str, received_at: int, first: int, rows: EventColumns
) -> int:
    driver = await _driver(connection)
    names = _quoted(rows.names)
    await driver.execute(
        f"CREATE TEMPORARY TABLE staged_events ON COMMIT DROP AS SELECT {names} FROM events WITH NO DATA"  # noqa: S608
    )
    records = zip(*_records(first, rows), strict=True)
    await driver.copy_records_to_table("staged_events", records=records, columns=rows.names)
    have_ids = any(event_id is not None for event_id in rows.event_ids)
    status = await driver.execute(
        f"{_NEW_IDS if have_ids else ''}INSERT {_into(rows.names)} SELECT $1, $2, {names} FROM staged_events "  # noqa: S608
        f"{_ID_IS_NEW if have_ids else ''} ORDER BY time, seq {_ONCE_IN_MONTH}",
        app,
        received_at,
    )
    return int(status.rpartition(" ")[2])


async def _duplicates_sqlite(
    connection: AsyncConnection, app: str, first: int, rows: EventColumns
) -> dict[int, int]:
    driver = await _driver(connection)
    mine = sa.and_(events.c.app == app, events.c.seq >= first, events.c.seq < first + len(rows))
    written = set((await connection.execute(sa.select(events.c.seq).where(mine))).scalars())
    missing = [index for index in range(len(rows)) if first + index not in written]
    seq_of: dict[bytes, int] = {}
    for chunk in chunked([rows.keys[index] for index in missing], _KEYS_PER_LOOKUP):
        seq_of.update(await driver.execute_fetchall(f"{_wanted(chunk)} {_LOOK_UP}", (*chunk, app)))
    return {index: seq_of[rows.keys[index]] for index in missing}


def _wanted(keys: Sequence[bytes]) -> str:
    # With a list of keys SQLite would read the whole log: joined with a table of them, it looks up each.
    return f"WITH wanted (key) AS (VALUES {', '.join(['(?)'] * len(keys))})"


async def _contents_sqlite(
    connection: AsyncConnection, app: str, _first: int, rows: EventColumns, named: Sequence[int]
) -> dict[int, Content]:
    """What the logged events say that have the keys of these rows."""
    driver = await _driver(connection)
    found: dict[bytes, Content] = {}
    for chunk in chunked([rows.keys[index] for index in named], _KEYS_PER_LOOKUP):
        logged = await driver.execute_fetchall(f"{_wanted(chunk)} {_READ}", (*chunk, app))
        found.update((key, content_of_row(*row)) for key, *row in logged)
    return {index: found[rows.keys[index]] for index in named}


async def _duplicates_postgresql(
    connection: AsyncConnection, app: str, first: int, rows: EventColumns
) -> dict[int, int]:
    driver = await _driver(connection)
    await driver.execute("ANALYZE staged_events (key, time)")
    found = await driver.fetch(_FIND_STAGED, app, min(rows.times), max(rows.times))
    return {staged - first: logged for staged, logged in found}


async def _contents_postgresql(
    connection: AsyncConnection, app: str, first: int, rows: EventColumns, _named: Sequence[int]
) -> dict[int, Content]:
    """The same, but for those of another time: they say something else."""
    driver = await _driver(connection)
    found = await driver.fetch(_READ_STAGED, app, min(rows.times), max(rows.times))
    return {staged - first: content_of_row(*row) for staged, *row in found}
