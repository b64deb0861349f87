"""Data reports: the result of every import, kept to be read later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from homefeed.store.session import Store
from homefeed.store.tables import reports

_TELLING: Final = 6
"""An id as long as that is found within a cell, too: shorter ones would be found in anybody's."""


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


async def forget_in_reports(connection: AsyncConnection, app: str, user_id: str) -> int:
    """Take the example rows that name a user out of an app's reports; returns how many reports that changed."""
    query = sa.select(reports.c.created_at, reports.c.report).where(reports.c.app == app)
    changed = 0
    for created_at, text in (await connection.execute(query)).all():
        report = orjson.loads(text)
        if _forget(report, user_id):
            mine = reports.update().where(reports.c.app == app, reports.c.created_at == created_at)
            await connection.execute(mine.values(report=orjson.dumps(report).decode()))
            changed += 1
    return changed


def _forget(found: Any, user_id: str) -> bool:
    """Take such examples out of a report, or a part of one; whether there were any."""
    parts = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
    changed = sum(_forget(part, user_id) for part in parts) > 0
    examples = found.get("examples") if isinstance(found, dict) else None
    if not isinstance(examples, list):
        return changed
    kept = [example for example in examples if not _names(example, user_id)]
    found["examples"] = kept
    return changed or len(kept) < len(examples)


def _names(example: Any, user_id: str) -> bool:
    cells = example.get("values") if isinstance(example, dict) else None
    texts = cells.values() if isinstance(cells, dict) else ()
    return any(isinstance(text, str) and _is_of(text, user_id) for text in texts)


def _is_of(text: str, user_id: str) -> bool:
    # A long cell is cut, and ends in dots.
    start = text.rstrip(".…")
    if text.strip() == user_id or (start != text and len(start) >= _TELLING and user_id.startswith(start)):
        return True
    return len(user_id) >= _TELLING and user_id in text
