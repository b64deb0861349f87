"""One store: SQLite in a file, or PostgreSQL by URL. Opening it brings its tables up to date."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from homefeed.errors import HomefeedError, SettingsError, UnavailableError
from homefeed.store import tables
from homefeed.store.direct import DirectReader, Rows, Unavailable, direct_reader
from homefeed.store.inline import BEGIN_WRITING, InlineConnection, connect_inline
from homefeed.store.migrations import upgrade
from homefeed.store.private import close_to_others, make_private_file, make_private_folder
from homefeed.store.query_times import QueryTimes
from homefeed.store.trouble import StoreHealth

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+asyncpg",
    "postgres": "postgresql+asyncpg",
}
BRIEF = 256
"""How many rows a statement may have to be brief."""

PRUNED_AT_ONCE = 2_000
"""About how many rows one transaction deletes of what is too old."""

_BUSY_SECONDS = 60.0
_CLOSING_SECONDS = 5.0
_SQLITE_READERS = 10
CONNECTIONS = 28
"""How many connections to PostgreSQL a store may have, unless it is told otherwise."""
_CHECKPOINT_PAGES = 16_384
_PROBE = ""
"""An app of the probe's own: it waits for no other app's writers."""


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
    for. All three raise UnavailableError where the store is in trouble; of a store with a `deadline`, in seconds,
    that is also where it takes longer.

    Writers have connections of their own, so that readers never wait for them: on SQLite a single one.
    """

    engine: AsyncEngine
    writer: AsyncEngine
    direct: DirectReader
    deadline: float | None = None
    health: StoreHealth = field(default_factory=StoreHealth)
    times: QueryTimes = field(default_factory=QueryTimes)

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """Which database this is."""
        return "sqlite" if self.engine.dialect.name == "sqlite" else "postgresql"

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection to read: it sees one consistent state."""
        with self.health.watching(), self.times.timing("read"):
            async with self._limited(), self.engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self, *, brief: bool = False) -> AsyncIterator[AsyncConnection]:
        """A connection to write: committed, and durable, when the block ends without an error.

        Statements that are `brief` SQLite runs on the event loop's own thread: sooner, while nothing else is done.
        """
        give_up = time.monotonic() + (self.deadline or _BUSY_SECONDS)
        writer = self.writer.execution_options(give_up=give_up, brief=brief)
        with self.health.watching(), self.times.timing("write"):
            async with self._limited(), writer.connect() as connection, connection.begin():
                yield connection
        self.health.written()

    async def fetch(self, query: sa.Select[Any], **values: Any) -> Rows:
        """All rows of a query of few rows, by the shortest way: on SQLite other tasks do not come in between.

        Keep the query: it is compiled once.
        """
        try:
            with self.health.watching(), self.times.timing("fetch"):
                return await self.direct.fetch(query, values)
        except Unavailable:
            async with self.read() as connection:
                rows: Rows = (await connection.execute(query, values)).all()
                return rows

    async def rows(self, query: sa.Select[Any], most: int, **values: Any) -> Rows:
        """All rows of a query: `fetch` where they are few at the `most`."""
        if most <= BRIEF:
            return await self.fetch(query, **values)
        async with self.read() as connection:
            rows: Rows = (await connection.execute(query, values)).all()
            return rows

    async def probe(self) -> bool:
        """Whether the store takes writes: found out by a write, for `health` to tell."""
        with suppress(UnavailableError):
            async with self.write() as connection:
                await self.advance(connection, _PROBE, event_seq=1)
        return self.health.ok

    async def checkpoint(self) -> None:
        """Move what was written from SQLite's log into its file, so that no write has to; servers do."""
        if self.dialect == "sqlite":
            with suppress(UnavailableError), self.health.watching():
                async with self.engine.connect() as connection:
                    driver: Any = (await connection.get_raw_connection()).driver_connection
                    await driver.execute_fetchall("PRAGMA wal_checkpoint(PASSIVE)")

    @property
    def unhurried(self) -> Store:
        """The same store for work that no request waits for: it takes the time that it takes."""
        return replace(self, deadline=None)

    def _limited(self) -> asyncio.Timeout:
        # A statement of SQLite's runs in a thread, where it cannot be cut short: its waits are limited one by one.
        return asyncio.timeout(self.deadline if self.dialect == "postgresql" else None)

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


@asynccontextmanager
async def open_store(
    url: str, deadline: float | None = None, connections: int = CONNECTIONS
) -> AsyncIterator[Store]:
    """Open the store at `url` (sqlite:///FILE or postgresql://...) and bring its tables up to date.

    With a `deadline`, as servers have one, nothing waits for the store for longer; else a write waits a minute for
    other processes, and an answer takes as long as it takes. On PostgreSQL it has so many `connections` at the
    most, each made when it is first needed: two sevenths for `fetch`, half of the others to read, half to write.

    Raises:
        SettingsError: the URL is not one of a supported database, or its driver is not installed.
        HomefeedError: the database does not answer, or a newer Homefeed wrote it.
    """
    parsed = _parsed(url)
    async with AsyncExitStack() as stack:
        direct_ones = max(1, connections * 2 // 7)
        readers = (connections - direct_ones) // 2
        engine = _engine(parsed, deadline, readers)
        writer = _engine(parsed, deadline, connections - direct_ones - readers, writes=True)
        # Closed last: of SQLite's connections the last one to write tidies up the files.
        stack.push_async_callback(_close, writer.dispose)
        stack.push_async_callback(_close, engine.dispose)
        await _bring_up_to_date(engine, writer)
        direct = direct_reader(engine, deadline, direct_ones)
        stack.push_async_callback(_close, direct.close)
        yield Store(engine, writer, direct, deadline)


def chunked(values: Sequence[Any], size: int = 500) -> list[Sequence[Any]]:
    """Slices small enough for the databases' limit on bound parameters."""
    return [values[start : start + size] for start in range(0, len(values), size)]


async def _bring_up_to_date(engine: AsyncEngine, writer: AsyncEngine) -> None:
    try:
        if engine.dialect.name == "sqlite":
            await asyncio.to_thread(_prepare_file, Path(str(engine.url.database)))
        await upgrade(engine, writer)
    except (DBAPIError, sqlite3.Error, OSError) as error:
        cause = getattr(error, "orig", None) or error
        shown = engine.url.set(query={}).render_as_string(hide_password=True)
        raise HomefeedError(f"the store at {shown} cannot be used: {cause}") from error
    except TypeError as error:
        if "unexpected keyword" not in str(error):
            raise
        # The drivers get the part after the ? as keywords.
        raise SettingsError(f"database_url: {error}; check the part after the ?") from None


async def _close(close: Callable[[], Awaitable[None]]) -> None:
    # A database that does not answer says no goodbye either.
    with suppress(TimeoutError):
        async with asyncio.timeout(_CLOSING_SECONDS):
            await close()


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


def _engine(url: URL, deadline: float | None, connections: int, *, writes: bool = False) -> AsyncEngine:
    if url.get_backend_name() == "sqlite":
        return _sqlite_engine(url, deadline, writes)
    limits: dict[str, Any] = {}
    if deadline is not None:
        limits = {"timeout": deadline, "server_settings": {"lock_timeout": f"{round(deadline * 1000)}ms"}}
    try:
        engine = create_async_engine(
            url,
            connect_args=limits,
            pool_pre_ping=True,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=deadline or _BUSY_SECONDS,
            # A writer that waited for another must see what that one wrote.
            isolation_level="READ COMMITTED" if writes else "REPEATABLE READ",
        )
    except ModuleNotFoundError as error:
        raise SettingsError(f"PostgreSQL needs {error.name}: pip install 'homefeed[postgres]'") from None
    sa.event.listen(engine.sync_engine, "invalidate", _drop)
    return engine


def _sqlite_engine(url: URL, deadline: float | None, writes: bool) -> AsyncEngine:
    patience = deadline or _BUSY_SECONDS
    engine = create_async_engine(
        url,
        connect_args={"timeout": patience, "isolation_level": None, "async_creator_fn": connect_inline},
        pool_size=1 if writes else _SQLITE_READERS,
        max_overflow=0,
        pool_timeout=patience,
    )
    sa.event.listen(engine.sync_engine, "connect", _configure_sqlite)
    if deadline is not None:
        sa.event.listen(engine.sync_engine, "connect", _leave_checkpoints)
    sa.event.listen(engine.sync_engine, "begin", _begin_writing_sqlite if writes else _begin_sqlite)
    return engine


def _drop(connection: Any, _record: object, _error: object) -> None:
    # The pool would say goodbye first, and wait for an answer.
    connection.driver_connection.terminate()


def _prepare_file(file: Path) -> None:
    make_private_folder(file.parent)
    make_private_file(file)
    for beside in ("-wal", "-shm"):  # those that SQLite makes anew have the rights of the database
        close_to_others(file.with_name(f"{file.name}{beside}"))
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
    cursor.execute("PRAGMA secure_delete = ON")
    cursor.close()


def _leave_checkpoints(connection: Any, _record: object) -> None:
    # A commit that is a checkpoint too takes a hundred milliseconds: `Store.checkpoint` does it beside requests.
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing_sqlite(connection: sa.Connection) -> None:
    # A transaction that reads first and writes later fails when another process wrote in between:
    # writers take the lock at once and wait their turn, for what is left after waiting for the connection.
    options = connection.get_execution_options()
    driver: InlineConnection = connection.connection.driver_connection  # type: ignore[assignment]
    driver.give_up = options.get("give_up", time.monotonic() + _BUSY_SECONDS)
    driver.inline = options.get("brief", False)
    connection.exec_driver_sql(BEGIN_WRITING)
