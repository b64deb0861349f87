"""One store: SQLite in a file, or PostgreSQL by URL. Opening it brings its tables up to date."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from homefeed.errors import HomefeedError, SettingsError
from homefeed.store import tables
from homefeed.store.direct import DirectReader, Rows, Unavailable, direct_reader
from homefeed.store.migrations import upgrade

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
_BUSY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Watermarks:
    """The positions of an app's tables: compared with known ones, they show what is new."""

    item_number: int = 0
    item_revision: int = 0
    user_number: int = 0
    user_revision: int = 0
    erasures: int = 0
    event_seq: int = 0


_WATERMARKS = sa.select(*(tables.apps.c[name] for name in Watermarks.__dataclass_fields__)).where(
    tables.apps.c.app == sa.bindparam("app")
)


@dataclass(frozen=True, slots=True)
class Store:
    """An open store. `read` and `write` give connections within a transaction; `fetch` is for what a request waits
    for.
    """

    engine: AsyncEngine
    direct: DirectReader

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """Which database this is."""
        return "sqlite" if self.engine.dialect.name == "sqlite" else "postgresql"

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read: it sees one consistent state."""
        async with self.engine.connect() as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A connection to write: committed, and durable, when the block ends without an error."""
        async with _writing(self.engine).connect() as connection, connection.begin():
            yield connection

    async def fetch(self, query: sa.Select[Any], **values: Any) -> Rows:
        """All rows of a query of few rows, by the shortest way: on SQLite other tasks do not come in between.

        Keep the query: it is compiled once.
        """
        try:
            return await self.direct.fetch(query, values)
        except Unavailable:
            async with self.read() as connection:
                rows: Rows = (await connection.execute(query, values)).all()
                return rows

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that supports ON CONFLICT."""
        return sqlite.insert(table) if self.dialect == "sqlite" else postgresql.insert(table)

    async def watermarks(self, app: str) -> Watermarks:
        """The app's watermarks; all zero for an app without data."""
        rows = await self.fetch(_WATERMARKS, app=app)
        return Watermarks(*rows[0]) if rows else Watermarks()

    async def advance(self, connection: AsyncConnection, app: str, **steps: int) -> Watermarks:
        """Advance watermarks and return the new ones; the app's other writers wait until then."""
        table = tables.apps
        names = list(Watermarks.__dataclass_fields__)
        start = dict.fromkeys(names, 0) | steps
        statement = self.insert(table).values(app=app, **start)
        moved = {name: table.c[name] + step for name, step in steps.items()} or {"app": table.c.app}
        rows = await connection.execute(
            statement.on_conflict_do_update(index_elements=["app"], set_=moved).returning(
                *(table.c[name] for name in names)
            )
        )
        return Watermarks(*rows.one())

    async def healthy(self) -> bool:
        """Check that the store answers."""
        try:
            async with self.read() as connection:
                await connection.execute(sa.select(1))
        except (SQLAlchemyError, OSError):
            return False
        return True


@asynccontextmanager
async def open_store(url: str) -> AsyncIterator[Store]:
    """Open the store at `url` (sqlite:///FILE or postgresql://...) and bring its tables up to date.

    Raises:
        SettingsError: the URL is not one of a supported database, or its driver is not installed.
        HomefeedError: the database does not answer, or a newer Homefeed wrote it.
    """
    engine = _engine(_parsed(url))
    try:
        try:
            if engine.dialect.name == "sqlite":
                await asyncio.to_thread(_prepare_file, Path(str(engine.url.database)))
            await upgrade(engine, _writing(engine))
        except (DBAPIError, sqlite3.Error, OSError) as error:
            cause = getattr(error, "orig", None) or error
            shown = engine.url.set(query={}).render_as_string(hide_password=True)
            raise HomefeedError(f"the store at {shown} cannot be used: {cause}") from error
        except TypeError as error:
            if "unexpected keyword" not in str(error):
                raise
            # The drivers get the part after the ? as keywords.
            raise SettingsError(f"database_url: {error}; check the part after the ?") from None
        direct = direct_reader(engine)
        try:
            yield Store(engine, direct)
        finally:
            # Before the engine's: of SQLite's connections the last one to write tidies up the files.
            await direct.close()
    finally:
        await engine.dispose()


def chunked(values: Sequence[Any], size: int = 500) -> list[Sequence[Any]]:
    """Slices small enough for the databases' limit on bound parameters."""
    return [values[start : start + size] for start in range(0, len(values), size)]


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # ValueError: the port is not a number
        raise SettingsError("database_url is not a URL; expected sqlite:///FILE or postgresql://...") from None
    backend = parsed.get_backend_name()
    if backend not in _DRIVERS:
        raise SettingsError(f"database_url: {backend} is not supported; expected sqlite or postgresql")
    if backend == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise SettingsError("database_url: SQLite needs a file: sqlite:///FILE")
    if "sslmode" in parsed.query:  # libpq's name for what asyncpg calls ssl
        parsed = parsed.difference_update_query(["sslmode"]).update_query_dict({"ssl": parsed.query["sslmode"]})
    return parsed.set(drivername=_DRIVERS[backend])


def _engine(url: URL) -> AsyncEngine:
    if url.get_backend_name() != "sqlite":
        try:
            return create_async_engine(
                url, pool_pre_ping=True, pool_size=10, max_overflow=10, isolation_level="REPEATABLE READ"
            )
        except ModuleNotFoundError as error:
            raise SettingsError(f"PostgreSQL needs {error.name}: pip install 'homefeed[postgres]'") from None
    engine = create_async_engine(url, connect_args={"timeout": _BUSY_SECONDS, "isolation_level": None})
    sa.event.listen(engine.sync_engine, "connect", _configure_sqlite)
    sa.event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _writing(engine: AsyncEngine) -> AsyncEngine:
    # On PostgreSQL a writer that waited for another must see what that one wrote.
    options = {"isolation_level": "READ COMMITTED"} if engine.dialect.name == "postgresql" else {}
    return engine.execution_options(homefeed_writes=True, **options)


def _prepare_file(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    give_up = time.monotonic() + _BUSY_SECONDS
    with closing(sqlite3.connect(file, timeout=_BUSY_SECONDS)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")  # the file remembers
            except sqlite3.OperationalError as error:
                # If two do this to a new file, SQLite may refuse one at once instead of letting it wait.
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > give_up:
                    raise
                time.sleep(0.01)
            else:
                return


def _configure_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA cache_size = -65536")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that reads first and writes later fails when another process wrote in between:
    # writers take the lock at once and wait their turn.
    writes = connection.get_execution_options().get("homefeed_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
