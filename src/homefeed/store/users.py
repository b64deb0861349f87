"""Users: put, patch, list, and erase with all their data."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from homefeed.errors import NotFoundError
from homefeed.limits import MAX_USER_BYTES, check_merged
from homefeed.store.attributes import read_attributes
from homefeed.store.ids import ids_of_numbers
from homefeed.store.partitions import delete_events
from homefeed.store.reports import forget_in_reports
from homefeed.store.session import BRIEF, Store, chunked
from homefeed.store.tables import changed_after, events, impressions, users
from homefeed.types import User


async def put_users(
    store: Store, app: str, writes: Sequence[tuple[str, Mapping[str, Any]]], kept: Collection[str] = ()
) -> int:
    """Create or replace users, as (user_id, attributes), the last of an id wins; returns how many were new.

    An existing user, and one of an earlier write, keeps the attributes that `kept` names where a write does not.
    """
    latest: dict[str, Mapping[str, Any]] = {}
    for user_id, attributes in writes:
        before = latest.get(user_id, {})
        latest[user_id] = {**{name: before[name] for name in kept if name in before}, **attributes}
    if not latest:
        return 0
    async with store.write(brief=len(latest) <= BRIEF) as connection:
        return await _put(store, connection, app, latest, kept)


async def put_user(
    store: Store, app: str, user_id: str, attributes: Mapping[str, Any], kept: Collection[str] = ()
) -> User:
    """Create or replace one user, likewise; returns them as they are now."""
    async with store.write(brief=True) as connection:
        await _put(store, connection, app, {user_id: attributes}, kept)
        return await _find(connection, app, user_id)


async def count_users(store: Store, app: str) -> int:
    """How many users an app has."""
    query = sa.select(sa.func.count()).select_from(users).where(users.c.app == app)
    async with store.read() as connection:
        return int((await connection.execute(query)).scalar_one())


async def _put(
    store: Store,
    connection: AsyncConnection,
    app: str,
    writes: Mapping[str, Mapping[str, Any]],
    kept: Collection[str],
) -> int:
    """Create or replace users; returns how many were new."""
    counters = await store.advance(connection, app, user_revision=1)
    before = await user_numbers(connection, app, writes)
    numbers = await ensure_users(store, connection, app, writes)
    former = await _kept(connection, app, list(before), kept)
    rows = [
        {
            "app": app,
            "number": numbers[user_id],
            "user_id": user_id,
            "attributes": orjson.dumps({**former.get(user_id, {}), **attributes}).decode(),
            "revision": counters.user_revision,
        }
        for user_id, attributes in writes.items()
    ]
    insert = store.insert(users)
    replaced = {name: insert.excluded[name] for name in ("attributes", "revision")}
    await connection.execute(insert.on_conflict_do_update(index_elements=["app", "number"], set_=replaced), rows)
    return len(writes) - len(before)


async def _kept(
    connection: AsyncConnection, app: str, user_ids: Sequence[str], kept: Collection[str]
) -> dict[str, dict[str, Any]]:
    """The attributes that are to be kept, by user."""
    found: dict[str, dict[str, Any]] = {}
    for chunk in chunked(user_ids) if kept else ():
        query = sa.select(users.c.user_id, users.c.attributes).where(
            users.c.app == app, users.c.user_id.in_(chunk)
        )
        for user_id, text in await connection.execute(query):
            attributes, _ = read_attributes(text)
            found[user_id] = {name: attributes[name] for name in kept if name in attributes}
    return found


async def patch_user(
    store: Store,
    app: str,
    user_id: str,
    attributes: Mapping[str, Any],
    *,
    create: bool = False,
    check: Callable[[Mapping[str, Any]], None] | None = None,
) -> User:
    """Change the named attributes; None removes one. With `create` an unknown user is created.

    `check` raises where all of them together may not be what they would become.

    Raises:
        NotFoundError: there is no such user.
        InvalidError: they would hold more than a user may.
    """
    async with store.write(brief=True) as connection:
        if create:
            await ensure_users(store, connection, app, [user_id])
        counters = await store.advance(connection, app, user_revision=1)
        found = await _find(connection, app, user_id)
        merged = {k: v for k, v in ({**found.attributes, **attributes}).items() if v is not None}
        check_merged("attributes", attributes, merged, MAX_USER_BYTES)
        if check is not None:
            check(merged)
        await connection.execute(
            users.update()
            .where(users.c.app == app, users.c.number == found.number)
            .values(attributes=orjson.dumps(merged).decode(), revision=counters.user_revision)
        )
    return User(user_id, found.number, merged)


async def erase_user(store: Store, app: str, user_id: str) -> int:
    """Erase a user, their events and impressions, and the rows of reports that name them; returns how many events.

    Raises:
        NotFoundError: there is no such user.
    """
    async with store.write() as connection:
        await store.advance(connection, app, erasures=1)
        found = await _find(connection, app, user_id)
        theirs = sa.and_(events.c.app == app, events.c.user == found.number)
        erased = await delete_events(store, connection, theirs)
        shown = sa.and_(impressions.c.app == app, impressions.c.user == found.number)
        await connection.execute(impressions.delete().where(shown))
        await connection.execute(users.delete().where(users.c.app == app, users.c.number == found.number))
        await forget_in_reports(connection, app, user_id)
    return erased


async def get_user(store: Store, app: str, user_id: str) -> User:
    """One user.

    Raises:
        NotFoundError: there is no such user.
    """
    async with store.read() as connection:
        return await _find(connection, app, user_id)


async def list_users(store: Store, app: str, after: int, limit: int, naming: str | None = None) -> list[User]:
    """Up to `limit` users whose number is above `after`, in the order of their numbers.

    With `naming` only those whose attributes hold that name: each that has the attribute, and perhaps others.
    """
    query = _select(app).where(users.c.number > after).order_by(users.c.number).limit(limit)
    if naming is not None:
        query = query.where(users.c.attributes.contains(f'"{naming}"', autoescape=True))
    async with store.read() as connection:
        return [_user(row) for row in await connection.execute(query)]


async def changed_users(store: Store, app: str, after: tuple[int, int], limit: int) -> list[tuple[int, int, str]]:
    """Up to `limit` (revision, number, user_id) beyond `after`, a (revision, number)."""
    revision, number = after
    rows = await store.rows(_CHANGED, limit, app=app, revision=revision, number=number, limit=limit)
    return [(revision, number, user_id) for revision, number, user_id in rows]


async def user_numbers(connection: AsyncConnection, app: str, user_ids: Iterable[str]) -> dict[str, int]:
    """The numbers of the ids that are users."""
    found: dict[str, int] = {}
    for chunk in chunked(sorted(set(user_ids))):
        query = sa.select(users.c.user_id, users.c.number).where(users.c.app == app, users.c.user_id.in_(chunk))
        found.update((row.user_id, row.number) for row in await connection.execute(query))
    return found


async def user_ids(store: Store, app: str, numbers: Collection[int]) -> dict[int, str]:
    """The ids of the users with these numbers; those that are gone are left out."""
    return await ids_of_numbers(store, users.c.user_id, app, numbers)


async def ensure_users(
    store: Store, connection: AsyncConnection, app: str, user_ids: Iterable[str]
) -> dict[str, int]:
    """The numbers of all the ids: new ones become users without attributes."""
    wanted = set(user_ids)
    numbers = await user_numbers(connection, app, wanted)
    return numbers | await create_users(store, connection, app, wanted - numbers.keys())


async def create_users(
    store: Store, connection: AsyncConnection, app: str, user_ids: Collection[str]
) -> dict[str, int]:
    """Create users without attributes, of ids that are none yet; returns their numbers."""
    if not user_ids:
        return {}
    counters = await store.advance(connection, app, user_number=len(user_ids), user_revision=1)
    first = counters.user_number - len(user_ids) + 1
    created = {user_id: first + i for i, user_id in enumerate(sorted(user_ids))}
    rows = [
        {
            "app": app,
            "number": number,
            "user_id": user_id,
            "attributes": "{}",
            "revision": counters.user_revision,
        }
        for user_id, number in created.items()
    ]
    await connection.execute(users.insert(), rows)
    return created


_CHANGED: Final = changed_after(users, "revision", "number", "user_id")


async def _find(connection: AsyncConnection, app: str, user_id: str) -> User:
    row = (await connection.execute(_select(app).where(users.c.user_id == user_id))).first()
    if row is None:
        raise NotFoundError(f'no user "{user_id}" in {app}')
    return _user(row)


def _select(app: str) -> sa.Select[Any]:
    return sa.select(users.c.user_id, users.c.number, users.c.attributes).where(users.c.app == app)


def _user(row: Any) -> User:
    return User(row.user_id, row.number, *read_attributes(row.attributes))
