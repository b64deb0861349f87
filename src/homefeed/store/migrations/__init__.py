"""Migrates a store's tables by Alembic, whenever a store is opened; servers of the version before run on.

A revision is a number, and a step behind a dot where it only adds to that number's tables: 0012.3 has all that
0012 has. So a version that knows 0012 runs on tables of 0012.3, and refuses those of 0013, which may lack what it
needs.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from homefeed.errors import HomefeedError

HEAD = "0010"
"""The newest revision: a store that has it does not need Alembic."""

_LOCK: Final = 0x686F6D65
_WAIT_FOR_OTHERS: Final = "SET LOCAL lock_timeout = 0"
_PATIENCE: Final = "SET LOCAL lock_timeout = '2s'"
"""Whoever waits for a table makes all wait that come later: so a migration gives up soon, and tries again."""
_TRIES: Final = 30
_PAUSE: Final = 1.0
_LOCK_NOT_AVAILABLE: Final = "55P03"
_version = sa.table("alembic_version", sa.column("version_num"))
_log = structlog.get_logger(__name__)


async def upgrade(engine: AsyncEngine, writer: AsyncEngine) -> None:
    """Bring the tables to HEAD, by `writer`. Processes that start at the same time wait for one another.

    Raises:
        HomefeedError: a newer Homefeed wrote the store, and this one may not run on it.
    """
    async with engine.connect() as connection:
        if _is_enough(await connection.run_sync(_revision)):
            return
    for tried in range(1, _TRIES + 1):
        try:
            async with writer.connect() as connection, connection.begin():
                await _migrate(connection)
            return
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE or tried == _TRIES:
                raise
            _log.warning("a table to migrate is in use; trying again", tried=tried)
        await asyncio.sleep(_PAUSE)


async def _migrate(connection: AsyncConnection) -> None:
    if connection.dialect.name == "postgresql":
        await connection.exec_driver_sql(_WAIT_FOR_OTHERS)
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        await connection.exec_driver_sql(_PATIENCE)
    if not _is_enough(await connection.run_sync(_revision)):
        await connection.run_sync(_run)


def _is_enough(revision: str | None) -> bool:
    """Whether this version may use the tables as they are: they are of HEAD, or have more beside it."""
    if revision is None or revision == HEAD:
        return revision == HEAD
    number, _, step = revision.partition(".")
    mine, _, known = HEAD.partition(".")
    return number == mine and step.isdecimal() and int(step) > int(known or 0)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.select(_version.c.version_num)).scalar_one_or_none()


def _run(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, HEAD)
    except CommandError as error:
        raise HomefeedError(
            f"the store's tables are of revision {_revision(connection)}, this Homefeed knows up to {HEAD}; "
            f"use the version that wrote them, or a newer one ({error})"
        ) from None
