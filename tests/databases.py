"""Databases of a test's own, made in milliseconds: copies of one whose tables are made once."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from homefeed.store import open_store

BLANK = "template0"


class Files:
    """Makes SQLite files; `folder` holds the one that is copied."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"

    def migrated(self, file: Path) -> str:
        """The URL of a new database with the tables of a store."""
        if not self._template.exists():
            asyncio.run(_migrate(f"sqlite:///{self._template}"))
        shutil.copyfile(self._template, file)
        return f"sqlite:///{file}"


class Databases:
    """Makes databases on one PostgreSQL server, through a connection that stays open."""

    def __init__(self, server: str) -> None:
        self._server = make_url(server).set(drivername="postgresql")
        self._runner = asyncio.Runner()
        self._template: str | None = None
        self._connection = self._runner.run(asyncpg.connect(self._server.render_as_string(hide_password=False)))

    @contextmanager
    def blank(self) -> Iterator[str]:
        """The URL of a new database without any tables; it is dropped in the end."""
        name = self._create(BLANK)
        try:
            yield self._url(name)
        finally:
            self._drop(name)

    @contextmanager
    def migrated(self) -> Iterator[str]:
        """The URL of a new database with the tables of a store; it is dropped in the end."""
        if self._template is None:
            self._template = self._create(BLANK)
            self._runner.run(_migrate(self._url(self._template)))
        name = self._create(self._template)
        try:
            yield self._url(name)
        finally:
            self._drop(name)

    def close(self) -> None:
        """Leave the server as it was."""
        if self._template is not None:
            self._drop(self._template)
        self._runner.run(self._connection.close())
        self._runner.close()

    def _url(self, name: str) -> str:
        return self._server.set(database=name).render_as_string(hide_password=False)

    def _create(self, template: str) -> str:
        name = f"homefeed_test_{uuid.uuid4().hex}"
        encoding = "ENCODING 'UTF8'" if template == BLANK else ""
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template} {encoding}")
        return name

    def _drop(self, name: str) -> None:
        # Not WITH (FORCE): it may not end an autovacuum worker, which the plain one sends away.
        self._execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND usename = current_user",
            name,
        )
        self._execute(f"DROP DATABASE IF EXISTS {name}")

    def _execute(self, statement: str, *values: str) -> None:
        self._runner.run(self._connection.execute(statement, *values))


async def _migrate(url: str) -> None:
    async with open_store(url):
        pass
