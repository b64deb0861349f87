"""Data reports: the result of every import, kept to be read later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from homefeed.store.session import Store
from homefeed.store.tables import reports


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report as JSON. `created_at` identifies it within its app."""

    created_at: int
    report: Mapping[str, Any]


async def save_report(store: Store, app: str, created_at: int, report: Mapping[str, Any]) -> int:
    """Keep a report; returns its time, moved a little if an earlier report has the same time."""
    async with store.write() as connection:
        await store.advance(connection, app)
        newest = sa.select(sa.func.max(reports.c.created_at)).where(
            reports.c.app == app, reports.c.created_at >= created_at
        )
        taken = (await connection.execute(newest)).scalar_one()
        time = created_at if taken is None else taken + 1
        text = orjson.dumps(report).decode()
        await connection.execute(reports.insert().values(app=app, created_at=time, report=text))
    return time


async def replace_report(store: Store, app: str, created_at: int, report: Mapping[str, Any]) -> None:
    """Change the report of that time."""
    async with store.write() as connection:
        await connection.execute(
            reports.update()
            .where(reports.c.app == app, reports.c.created_at == created_at)
            .values(report=orjson.dumps(report).decode())
        )


async def list_reports(store: Store, app: str, limit: int = 20) -> list[StoredReport]:
    """The newest reports, newest first. One without `"finished": true` is of an import that did not end."""
    query = (
        sa.select(reports.c.created_at, reports.c.report)
        .where(reports.c.app == app)
        .order_by(reports.c.created_at.desc())
        .limit(limit)
    )
    async with store.read() as connection:
        return [StoredReport(row.created_at, orjson.loads(row.report)) for row in await connection.execute(query)]
