"""Reads that a request waits for: by the driver itself, without a thread, a pool's ping or a transaction.

SQLAlchemy's async session costs 0.5 to 1 ms of processor time a read, the driver itself 0.03 on SQLite. A read
sees all that was committed before it. Where the driver cannot answer, whatever the reason, `Unavailable` is
raised: the store then reads by its engine, which waits for a busy file, connects anew, and reports what is wrong.
Where PostgreSQL is silent for longer than the store's deadline, `TimeoutError` is: no one waits twice.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncEngine

Rows: TypeAlias = Sequence[Sequence[Any]]

_OF_THE_ENGINE = frozenset(
    ("async_fallback", "async_creator_fn", "prepared_statement_cache_size", "prepared_statement_name_func")
)
"""What a URL may say that is for SQLAlchemy and not for its driver."""


class Unavailable(Exception):  # noqa: N818  # no error of its own: the engine reads instead
    """The driver did not answer."""


class DirectReader(Protocol):
    """Reads by the driver itself."""

    async def fetch(self, query: sa.Select[Any], values: Mapping[str, Any]) -> Rows:
        """All rows of a query, which is compiled once, with its parameters' values."""
        ...

    async def close(self) -> None:
        """Give the connections back."""
        ...


def direct_reader(engine: AsyncEngine, deadline: float | None = None, connections: int = 8) -> DirectReader:
    """The reader of an engine's database, by so many connections to PostgreSQL.

    It is for the thread that opened it.
    """
    if engine.dialect.name == "sqlite":
        return _Sqlite(engine.dialect, Path(str(engine.url.database)))
    return _Postgresql(engine, deadline, connections)


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A query as the driver takes it: its text, and the order and the constants of its parameters."""

    text: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]

    def parameters(self, values: Mapping[str, Any]) -> list[Any]:
        return [values[name] if name in values else self.constants[name] for name in self.names]


class _Queries:
    """Queries compiled for a dialect, each once."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._compiled: dict[sa.Select[Any], _Compiled] = {}

    def compiled(self, query: sa.Select[Any]) -> _Compiled:
        found = self._compiled.get(query)
        if found is None:
            made = query.compile(dialect=self._dialect)
            names = tuple(made.positiontup or ())
            found = self._compiled[query] = _Compiled(str(made), names, made.params)
        return found


class _Sqlite:
    """A connection on the event loop's own thread, which may read only: in WAL mode it waits for no writer."""

    def __init__(self, dialect: Dialect, file: Path) -> None:
        self._queries = _Queries(dialect)
        # Without a timeout: what is busy would make the whole event loop wait.
        self._connection = sqlite3.connect(
            f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=0, isolation_level=None
        )

    async def fetch(self, query: sa.Select[Any], values: Mapping[str, Any]) -> Rows:
        compiled = self._queries.compiled(query)
        try:
            # All rows at once: that ends the statement, and with it the state of the file that it sees.
            return self._connection.execute(compiled.text, compiled.parameters(values)).fetchall()
        except sqlite3.Error as error:
            raise Unavailable from error

    async def close(self) -> None:
        self._connection.close()


class _Postgresql:
    """A few connections of the driver's own: a query is one round trip and prepared once on each."""

    def __init__(self, engine: AsyncEngine, deadline: float | None, connections: int) -> None:
        self._queries, self._deadline = _Queries(engine.dialect), deadline
        self._options = engine.dialect.create_connect_args(engine.url)[1]
        self._idle: list[Any] = []
        self._slots = asyncio.Semaphore(connections)

    async def fetch(self, query: sa.Select[Any], values: Mapping[str, Any]) -> Rows:
        compiled = self._queries.compiled(query)
        async with asyncio.timeout(self._deadline), self._slots:
            connection = self._idle.pop() if self._idle else None
            try:
                connection = connection or await self._connect()
                rows: Rows = await connection.fetch(compiled.text, *compiled.parameters(values))
            except BaseException as error:
                if connection is not None:
                    connection.terminate()
                if isinstance(error, Exception):
                    raise Unavailable from error
                raise
            self._idle.append(connection)
            return rows

    async def close(self) -> None:
        for connection in self._idle:
            await connection.close()

    async def _connect(self) -> Any:
        import asyncpg

        options = {name: value for name, value in self._options.items() if name not in _OF_THE_ENGINE}
        return await asyncpg.connect(**options)
