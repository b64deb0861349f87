"""API keys: made, listed, revoked. The store holds the SHA-256 of a key, never the key.

A key is `hf_ID_SECRET`. Its secret is 256 random bits, so that a hash without salt or stretching is enough, which
takes a microsecond. A revoked key stays as a row: a store that ever had a key is never open to all again.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from homefeed.errors import ConflictError, InvalidError, NotFoundError
from homefeed.principals import Right
from homefeed.store.session import Store
from homefeed.store.tables import api_keys

_KEY: Final = re.compile("hf_([^_]*)_(.*)", re.DOTALL)
"""Its beginning is known to whoever scans for leaked secrets."""
_NAME: Final = re.compile(r"[\w.@-]{1,63}")
_ALL: Final = ""
"""The app of keys that are for every app."""

_column: Final = api_keys.c


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as the store knows it. `app` is None where it is for all; times are in microseconds since 1970."""

    key_id: str
    name: str
    app: str | None
    right: Right
    digest: bytes
    created_at: int
    used_at: int | None = None
    revoked_at: int | None = None


def split_key(text: str) -> tuple[str, bytes] | None:
    """The id of a key and the digest of its secret; None of what is no key."""
    found = _KEY.fullmatch(text)
    if found is None:
        return None
    return found[1], hashlib.sha256(found[2].encode(errors="surrogateescape")).digest()


async def create_key(store: Store, name: str, right: Right, app: str | None, now: int) -> tuple[ApiKey, str]:
    """Make a key; it is told now and never again.

    Raises:
        InvalidError: the name is none.
        ConflictError: a key that is not revoked has the name.
    """
    if not _NAME.fullmatch(name):
        raise InvalidError(
            f'"{name:.80}" is no name of a key: expected up to 63 letters, digits, ".", "_", "-", "@"'
        )
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    digest = hashlib.sha256(secret.encode()).digest()
    named = sa.select(_column.key_id).where(_column.name == name, _column.revoked_at.is_(None))
    row = {"app": app or _ALL, "key_id": key_id, "name": name, "right": right, "digest": digest, "created_at": now}
    async with store.write() as connection:
        if (await connection.execute(named)).first() is not None:
            raise ConflictError(f'a key named "{name}" is there; revoke it first, or choose another name')
        await connection.execute(api_keys.insert().values(**row))
    return ApiKey(key_id, name, app, right, digest, now), f"hf_{key_id}_{secret}"


EVERY_KEY: Final = sa.select(*(_column[name] for name in ApiKey.__dataclass_fields__)).order_by(
    _column.created_at, _column.key_id
)
"""The rows of all keys, in the order they were made."""


async def list_keys(store: Store) -> list[ApiKey]:
    """All keys, also those that were revoked, in the order they were made."""
    return [key_of(row) for row in await store.fetch(EVERY_KEY)]


async def revoke_key(store: Store, name: str, now: int) -> ApiKey:
    """Revoke the key of a name or an id: servers refuse it from their next look at the store on.

    Raises:
        NotFoundError: no key that is not revoked has it.
    """
    meant = (_column.name == name) | (_column.key_id == name)
    statement = (
        api_keys.update()
        .where(meant, _column.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(*(_column[field] for field in ApiKey.__dataclass_fields__))
    )
    async with store.write() as connection:
        revoked = (await connection.execute(statement)).all()
    if not revoked:
        raise NotFoundError(f'no key "{name:.80}" that is not revoked; homefeed keys list names them')
    return key_of(revoked[0])


async def note_used(store: Store, used: Mapping[str, int]) -> None:
    """Write down when keys, by id, were last used; a later time that is there stays."""
    async with store.write() as connection:
        for key_id, time in used.items():
            is_later = _column.used_at.is_(None) | (_column.used_at < time)
            noted = api_keys.update().where(_column.key_id == key_id, is_later).values(used_at=time)
            await connection.execute(noted)


def key_of(row: Any) -> ApiKey:
    """A key of a row of `EVERY_KEY`."""
    key_id, name, app, right, digest, *times = row
    return ApiKey(key_id, name, app or None, right, bytes(digest), *times)
