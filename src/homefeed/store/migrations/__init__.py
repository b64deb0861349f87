"""Migrates a store's tables by Alembic, whenever a store is opened."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from homefeed.errors import HomefeedError

HEAD = "0010"
"""The newest revision: a store that has it does not need Alembic."""

_LOCK = 0x686F6D65
_version = sa.table("alembic_version", sa.column("version_num"))


async def upgrade(engine: AsyncEngine, writer: AsyncEngine) -> None:
    """Bring the tables to HEAD, by `writer`. Processes that start at the same time wait for one another.

    Raises:
        HomefeedError: a newer Homefeed wrote the store.
    """
    async with engine.connect() as connection:
        if await connection.run_sync(_revision) == HEAD:
            return
    async with writer.connect() as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        if await connection.run_sync(_revision) != HEAD:
            await connection.run_sync(_run)


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
