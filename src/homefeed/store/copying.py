"""All of a store into another, whichever database either is on: as it was at one moment, and compared in the end.

Rows keep their numbers, so that models go on with the copy. The counters of the apps come last: a store that has
none of them is empty, or a copy that was cut short, which the next goes on with.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from homefeed.errors import ConflictError, HomefeedError
from homefeed.store import tables
from homefeed.store.bulk import settle
from homefeed.store.key_copies import merge_keys, row_of
from homefeed.store.keys import EVERY_KEY, key_of, list_keys
from homefeed.store.partitions import ensure_partitions
from homefeed.store.session import Store

Progress: TypeAlias = Callable[[str, int, int], None]
Rows: TypeAlias = Sequence[Any]

NOT_COPIED: Final = (tables.leases, tables.trending, tables.trending_windows)
"""What belongs to processes that run, and what is counted anew."""

_PAGED: Final = {
    tables.users: tables.users.c.number,
    tables.items: tables.items.c.number,
    tables.events: tables.events.c.seq,
    tables.impressions: tables.impressions.c.time,
}
"""The tables that may be large, by what they are read by: with the app it begins their key."""
_PAGE: Final = 20_000
_MOST: Final = 1 << 64
_IS_APP: Final = tables.apps.c.app != ""


@dataclass(slots=True)
class Fingerprint:
    """How many rows, and a sum of the hashes of each: whatever their order, the same rows give the same."""

    rows: int = 0
    hashes: int = 0

    def add(self, rows: Rows) -> None:
        """Count rows, each with all its columns."""
        self.rows += len(rows)
        found = (blake2b(repr(tuple(row)).encode(), digest_size=8).digest() for row in rows)
        self.hashes = (self.hashes + sum(int.from_bytes(digest) for digest in found)) % _MOST


async def copy_store(source: Store, target: Store, progress: Progress, page: int = _PAGE) -> dict[str, int]:
    """Copy all that a store holds to one without data, or go on with that; returns how many rows of each table.

    It is the state at the start, read in one transaction, whatever is written meanwhile. What differs in the end
    from a copy that was begun before is copied once more. The keys that the target has stay beside those of the
    source; what either has revoked is revoked.

    Raises:
        ConflictError: the target holds data of its own.
        HomefeedError: what was read from the target is not what was written.
    """
    await _require_unfilled(target)
    whole = [table for table in tables.metadata.sorted_tables if table not in (*NOT_COPIED, tables.apps, *_PAGED)]
    async with source.read() as reading:
        apps = (await reading.execute(sa.select(tables.apps).where(_IS_APP).order_by(tables.apps.c.app))).all()
        names = [row.app for row in apps]
        counts = {}
        for table in _PAGED:
            counts[table.name] = await _copy_checked(reading, target, table, names, progress, page)
        for table in whole:
            counts[table.name] = await _copy_whole(reading, target, table)
    await _write(target, tables.apps, apps)
    await settle(target)
    return counts


async def _require_unfilled(target: Store) -> None:
    async with target.read() as connection:
        found = (await connection.execute(sa.select(tables.apps.c.app).where(_IS_APP).limit(3))).scalars().all()
    if found:
        raise ConflictError(
            f"the store to copy to holds data of its own ({', '.join(found)}): name one without any, such as a "
            "new database"
        )


async def _copy_checked(
    reading: AsyncConnection, target: Store, table: sa.Table, apps: Sequence[str], progress: Progress, page: int
) -> int:
    """Copy a table and compare; where a copy of before differs it is made anew. Returns how many rows it has."""
    total = (await reading.execute(sa.select(sa.func.count()).select_from(table))).scalar_one()
    again = False
    while True:
        read, written = Fingerprint(), Fingerprint()
        for app in apps:
            await _copy_app(reading, target, table, app, read, lambda n: progress(table.name, n, total), page)
        async with target.read() as copy:
            for app in apps:
                async for rows in _pages(copy, table, app, page):
                    written.add(rows)
                    progress(f"{table.name}: comparing", written.rows, total)
        if read == written:
            return read.rows
        if again:
            raise HomefeedError(
                f"the {table.name} of the copy are not those that were written: is another process using it? "
                "Copy again, to a store that nobody uses"
            )
        again = True
        await _empty(target, table)


async def _copy_app(
    reading: AsyncConnection,
    target: Store,
    table: sa.Table,
    app: str,
    read: Fingerprint,
    done: Callable[[int], None],
    page: int,
) -> None:
    key = _PAGED[table]
    async with target.read() as copy:
        last = (await copy.execute(sa.select(sa.func.max(key)).where(table.c.app == app))).scalar_one()
    async for rows in _pages(reading, table, app, page):
        read.add(rows)
        new = rows if last is None else [row for row in rows if row._mapping[key] > last]
        if new:
            await _write(target, table, new)
        done(read.rows)


async def _copy_whole(reading: AsyncConnection, target: Store, table: sa.Table) -> int:
    rows: Rows = (await reading.execute(sa.select(table))).all()
    if table is tables.api_keys:
        kept = await list_keys(target)
        rows = [row_of(key) for key in merge_keys(kept, map(key_of, await reading.execute(EVERY_KEY)))]
    await _write(target, table, rows, anew=True)
    async with target.read() as copy:
        found = (await copy.execute(sa.select(table))).all()
    read, written = Fingerprint(), Fingerprint()
    read.add(rows)
    written.add(found)
    if read != written:
        raise HomefeedError(f"{table.name} could not be copied as it is; copy again, to a store that nobody uses")
    return len(rows)


async def _pages(connection: AsyncConnection, table: sa.Table, app: str, page: int) -> AsyncIterator[Rows]:
    """The rows of an app by their key, of which those that are equal in it come together."""
    key = _PAGED[table]
    mine = sa.select(table).where(table.c.app == app)
    after = -_MOST // 2
    while True:
        query = mine.where(key > sa.literal(after, sa.BigInteger)).order_by(key).limit(page)
        rows = (await connection.execute(query)).all()
        if len(rows) < page:
            if rows:
                yield rows
            return
        after = rows[-1]._mapping[key]
        if len(table.primary_key.columns) > 2:
            rows = [row for row in rows if row._mapping[key] < after]
            rows += (await connection.execute(mine.where(key == sa.literal(after, sa.BigInteger)))).all()
        yield rows


async def _empty(target: Store, table: sa.Table) -> None:
    async with target.write() as connection:
        if table is tables.events and target.dialect == "postgresql":
            await connection.execute(tables.event_ids.delete())
        await connection.execute(table.delete())


async def _write(target: Store, table: sa.Table, rows: Rows, *, anew: bool = False) -> None:
    """Write rows in one transaction, by the driver's fastest method; `anew` instead of those that are there."""
    if not rows and not anew:
        return
    names = [column.name for column in table.columns]
    async with target.write() as connection:
        # Either begins the transaction: the driver by itself would not.
        await connection.execute(table.delete() if anew else sa.select(1))
        if table is tables.events:
            await ensure_partitions(target, connection, rows[0].app, [row.time for row in rows])
        driver: Any = (await connection.get_raw_connection()).driver_connection
        if target.dialect == "sqlite":
            columns = ", ".join(f'"{name}"' for name in names)
            values = ", ".join("?" * len(names))
            cells = map(tuple, rows)
            await driver.executemany(f"INSERT INTO {table.name} ({columns}) VALUES ({values})", cells)  # noqa: S608
            return
        await driver.copy_records_to_table(table.name, records=map(tuple, rows), columns=names)
        if table is tables.events:
            keys = [(row.app, row.key, row.seq) for row in rows if row.event_id is not None]
            await driver.copy_records_to_table("event_ids", records=keys, columns=["app", "key", "seq"])
