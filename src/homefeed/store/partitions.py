"""The log on PostgreSQL: a partition for every app and month, so old events are dropped as whole tables.

SQLite has none. Nor has a log that TimescaleDB divides by itself, as it does where its extension was in the
database when the table was made. Names and bounds are those of stores that exist: changing them takes a migration.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from homefeed.store.session import Store
from homefeed.store.tables import event_ids, events

_FIRST_YEAR: Final = 2000
_FIRST_MONTHLY: Final = 2020
_LAST_YEAR: Final = 2099
_LABEL: Final = re.compile(r"early|late|\d{4}(_\d\d)?")
_LONGEST_APP: Final = 48
_DROPS: Final = 0x64726F70
_PATIENCE: Final = "SET LOCAL lock_timeout = '1s'"
_LOCK_NOT_AVAILABLE: Final = "55P03"
_MISSING: Final = sa.text(
    "SELECT name FROM unnest(CAST(:names AS text[])) AS name WHERE to_regclass(quote_ident(name)) IS NULL "
    "AND (SELECT relkind FROM pg_class WHERE oid = CAST('events' AS regclass)) = 'p'"
)
_PARTITIONS: Final = sa.text(
    "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = CAST('events' AS regclass)"
)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The times of one partition of an app: from `start` to before `end`, None without a bound.

    A month each from 2020 to 2099, a year each from 2000 on, and one beyond either end, so files
    with absurd times cannot make thousands of tables.
    """

    label: str

    @property
    def start(self) -> int | None:
        """The first of its times."""
        return None if self.label == "early" else self._first(0)

    @property
    def end(self) -> int | None:
        """The first time after it."""
        return None if self.label == "late" else self._first(1)

    def _first(self, further: int) -> int:
        if self.label in ("early", "late"):
            return _start_of(_FIRST_YEAR if self.label == "early" else _LAST_YEAR + 1, 1)
        year, _, month = self.label.partition("_")
        return _start_of(int(year), int(month) + further) if month else _start_of(int(year) + further, 1)


def periods_of(times: Sequence[int]) -> list[Period]:
    """The periods of some times, each once."""
    months = np.unique(np.asarray(times, dtype=np.int64).astype("datetime64[us]").astype("datetime64[M]"))
    return sorted({Period(_label(str(month))) for month in months})


def partition_name(app: str, period: Period) -> str:
    """The name of its table."""
    return f"events_{period.label}_{_shortened(app)}"


def making(app: str, period: Period) -> tuple[str, str]:
    """The statements that make a partition.

    CREATE TABLE ... PARTITION OF would keep every reader of the log out until the transaction ends.
    """
    name, quoted = _quoted(app, period), app.replace("'", "''")
    start = "MINVALUE" if period.start is None else period.start
    end = "MAXVALUE" if period.end is None else period.end
    bounds = f"FROM ('{quoted}', {start}) TO ('{quoted}', {end})"
    return (
        f"CREATE TABLE {name} (LIKE events INCLUDING ALL)",
        f"ALTER TABLE events ATTACH PARTITION {name} FOR VALUES {bounds}",
    )


async def ensure_partitions(store: Store, connection: AsyncConnection, app: str, times: Sequence[int]) -> None:
    """Make the partitions for events of these times. The app's watermarks must be advanced before."""
    if store.dialect == "sqlite" or not len(times):
        return
    named = {partition_name(app, period): period for period in periods_of(times)}
    for name in list((await connection.execute(_MISSING, {"names": list(named)})).scalars()):
        for statement in making(app, named[name]):
            await connection.exec_driver_sql(statement)


async def delete_events(store: Store, connection: AsyncConnection, where: sa.ColumnElement[bool]) -> int:
    """Delete events, so they count as new when sent again; returns how many.

    The watermarks of their app must be advanced before.
    """
    if store.dialect == "postgresql":
        await _forget_ids(connection, where)
    return (await connection.execute(events.delete().where(where))).rowcount


async def drop_partitions(store: Store, app: str, before: int) -> int:
    """Drop the partitions of an app with only events older than a time; returns how many events.

    None is dropped if the log cannot be locked within a second, as while a backup reads it.
    """
    if store.dialect == "sqlite":
        return 0
    async with store.write() as connection:
        await store.advance(connection, app)
        # One at a time: each of two would wait for the other to release the log.
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_DROPS)))
        old = _older(app, (await connection.execute(_PARTITIONS)).scalars(), before)
        if not old:
            return 0
        try:
            async with connection.begin_nested():
                return await _drop(connection, app, old)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                raise
            return 0


async def _drop(connection: AsyncConnection, app: str, old: Sequence[Period]) -> int:
    ends = max(period.end or 0 for period in old)
    theirs = sa.and_(events.c.app == app, events.c.time < ends)
    count = (await connection.execute(sa.select(sa.func.count()).where(theirs).select_from(events))).scalar_one()
    await _forget_ids(connection, theirs)
    names = ", ".join(_quoted(app, period) for period in old)
    await connection.exec_driver_sql(_PATIENCE)
    await connection.exec_driver_sql(f"DROP TABLE {names}")
    return int(count)


async def _forget_ids(connection: AsyncConnection, where: sa.ColumnElement[bool]) -> None:
    # By key and by seq: so there is an index from either table into the other, whichever is the smaller.
    same = [event_ids.c[name] == events.c[name] for name in ("app", "key", "seq")]
    await connection.execute(event_ids.delete().where(*same, where, events.c.event_id.is_not(None)))


def _older(app: str, names: Iterable[str], before: int) -> list[Period]:
    ending = f"_{_shortened(app)}"
    labels = (name.removeprefix("events_").removesuffix(ending) for name in names if name.endswith(ending))
    periods = (Period(label) for label in labels if _LABEL.fullmatch(label))
    return [period for period in periods if period.end is not None and period.end <= before]


def _quoted(app: str, period: Period) -> str:
    return '"{}"'.format(partition_name(app, period).replace('"', '""'))


def _shortened(app: str) -> str:
    # PostgreSQL cuts names off after 63 bytes.
    if len(app) <= _LONGEST_APP:
        return app
    return f"{app[:23]}_{hashlib.blake2b(app.encode(), digest_size=12).hexdigest()}"


def _label(month: str) -> str:
    year = int(month[:4])
    if year < _FIRST_YEAR:
        return "early"
    if year > _LAST_YEAR:
        return "late"
    return month[:4] if year < _FIRST_MONTHLY else month.replace("-", "_")


def _start_of(year: int, month: int) -> int:
    moment = np.datetime64(12 * (year - 1970) + month - 1, "M")
    return int(moment.astype("datetime64[us]").astype(np.int64))
