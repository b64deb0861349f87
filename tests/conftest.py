"""What every test can ask for: a fresh store on each database."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import hypothesis
import pytest
from sqlalchemy.engine import make_url

from homefeed.store import Store, open_store

hypothesis.settings.register_profile("homefeed", deadline=None)
hypothesis.settings.load_profile("homefeed")

_SERVER = "HOMEFEED_TEST_POSTGRES_URL"


@pytest.fixture(params=["sqlite", "postgresql"])
async def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a database of the test's own, without any tables yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'homefeed.db'}"
        return
    if not os.environ.get(_SERVER):
        pytest.skip(f"{_SERVER} names no PostgreSQL; its role needs CREATEDB")
    server = make_url(os.environ[_SERVER]).set(drivername="postgresql")
    name = f"homefeed_test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(server.render_as_string(hide_password=False))
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        try:
            yield server.set(database=name).render_as_string(hide_password=False)
        finally:
            await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    """An open store without any rows; the test runs once on SQLite and once on PostgreSQL."""
    async with open_store(store_url) as opened:
        yield opened
