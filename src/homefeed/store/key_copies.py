"""The keys of two stores as one: a copy or a backup takes no key away, and makes no revoked one valid again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from homefeed.store.keys import ApiKey, key_of, list_keys
from homefeed.store.session import Store
from homefeed.store.tables import api_keys

_COLUMNS: Final = [column.name for column in api_keys.columns]


def merge_keys(kept: Iterable[ApiKey], added: Iterable[ApiKey]) -> list[ApiKey]:
    """Each key of both once, those that are kept as they are; revoked since the first time that either says."""
    found = {key.key_id: key for key in kept}
    for key in added:
        known = found.get(key.key_id, key)
        used = max((time for time in (known.used_at, key.used_at) if time is not None), default=None)
        revoked = min((time for time in (known.revoked_at, key.revoked_at) if time is not None), default=None)
        found[key.key_id] = replace(known, used_at=used, revoked_at=revoked)
    return sorted(found.values(), key=lambda key: (key.created_at, key.key_id))


def row_of(key: ApiKey) -> tuple[Any, ...]:
    """A key as a row of the table, of all its columns."""
    return tuple((key.app or "") if name == "app" else getattr(key, name) for name in _COLUMNS)


async def keep_keys(store: Store, kept: list[ApiKey]) -> tuple[ApiKey, ...]:
    """Add keys to those of a store, as `merge_keys` does; returns the valid ones that only the store knew."""
    merged = merge_keys(kept, await list_keys(store))
    rows = [dict(zip(_COLUMNS, row_of(key), strict=True)) for key in merged]
    async with store.write() as connection:
        await connection.execute(api_keys.delete())
        if rows:
            await connection.execute(api_keys.insert(), rows)
    known = {key.key_id for key in kept}
    return tuple(key for key in merged if key.revoked_at is None and key.key_id not in known)


def keys_of_file(file: Path) -> list[ApiKey]:
    """The keys of a SQLite store as it is; none where it is missing, cannot be read, or is older than keys."""
    columns = ", ".join(f'"{name}"' for name in ApiKey.__dataclass_fields__)
    query = f"SELECT {columns} FROM {api_keys.name}"  # noqa: S608
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute(query).fetchall()
    except sqlite3.Error:
        return []
    return [key_of(row) for row in rows]
