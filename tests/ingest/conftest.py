"""An app to import into, and files to import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from homefeed.ingest import DataReport, Files, find_files, import_files
from homefeed.recipe import Recipe, parse_recipe
from homefeed.store import Store
from homefeed.store.events import rows_after
from homefeed.store.items import list_items
from homefeed.store.users import list_users
from homefeed.types import Item, User

USERS = "user_id,age,gender,region\nu1,30,F,North\nu2,41,M,South\n"
ITEMS = "item_id,title,content_type,genre\ni1,Drama Series A,series,Drama|Crime\ni2,Family Show B,tv,Family\n"
EVENTS = (
    "user_id,item_id,event_type,watch_seconds,timestamp\n"
    "u1,i1,play,120,2025-01-01T10:00:00\n"
    "u2,i1,play,300,2025-01-02T10:00:00Z\n"
    "u1,i2,play,60,2025-01-03 10:00:00+01:00\n"
)
DECLARED: Mapping[str, Any] = {
    "app": "streaming",
    "items": {"fields": {"title": "text", "content_type": "category", "genre": "tags", "year": "number"}},
    "users": {"fields": {"age": "number", "gender": "category", "region": "category"}},
    "events": {"play": {"min_value": 0, "max_value": 86400}},
    "sources": {
        "items": {"required": ["title"]},
        "events": {"required": ["value"], "columns": {"value": "watch_seconds"}},
    },
    "feeds": {"popular": {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}},
}


@dataclass(frozen=True)
class World:
    """A store and a folder of files: `run` imports what `write` wrote."""

    store: Store
    folder: Path
    now: int

    def recipe(self, **changes: Any) -> Recipe:
        return parse_recipe({**DECLARED, **changes}, "test")

    def write(self, **files: str | bytes) -> None:
        for name, content in files.items():
            path = self.folder / f"{name}.csv"
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    def forget(self, *names: str) -> None:
        for name in names:
            (self.folder / name).unlink()

    async def run(self, recipe: Recipe | None = None, files: Files | None = None, **more: Any) -> DataReport:
        return await import_files(
            self.store, recipe or self.recipe(), files or find_files(self.folder), **{"now": self.now, **more}
        )

    async def users(self) -> list[User]:
        return await list_users(self.store, "streaming", 0, 1000)

    async def items(self) -> list[Item]:
        return await list_items(self.store, "streaming", 0, 1000)

    async def log(self) -> list[tuple[str, str, str, float | None, int]]:
        """What the log holds, in its order: user, item, type, value, time."""
        names = {user.number: user.user_id for user in await self.users()}
        titles = {item.number: item.item_id for item in await self.items()}
        rows = await rows_after(self.store, "streaming", 0, 100_000)
        columns = (rows.users, rows.items, rows.types, rows.values, rows.times)
        return [(names[u], titles[i], kind, value, time) for u, i, kind, value, time in zip(*columns, strict=True)]


@pytest.fixture
def micros() -> Callable[..., int]:
    """Microseconds since 1970 of a date."""

    def convert(*date: int) -> int:
        moment = datetime(*date, tzinfo=UTC)  # type: ignore[misc,arg-type]
        return int(moment.timestamp()) * 1_000_000 + moment.microsecond

    return convert


@pytest.fixture
def world(store: Store, tmp_path: Path, micros: Callable[..., int]) -> World:
    """Two users, two items and three events in CSV files, not imported yet."""
    folder = tmp_path / "data"
    folder.mkdir()
    result = World(store, folder, micros(2026, 1, 1))
    result.write(users=USERS, items=ITEMS, events=EVENTS)
    return result


@pytest.fixture
def counts() -> Callable[[Mapping[str, Any]], dict[str, int]]:
    """Tallies as plain numbers."""
    return lambda tallies: {reason: tally.count for reason, tally in tallies.items()}
