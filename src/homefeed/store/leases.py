"""The lease of an app's jobs: one process has it at a time, on whatever machine, until it expires.

A lease is held by its token, which grows with every holder (a fencing token, after Kleppmann, "How to do
distributed locking", 2016): whoever slept past the end of theirs finds another token in the store, and publishes
nothing. Machines go by their own clocks. Where these differ by more than a lease lasts, two may work at once; only
the latter publishes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from homefeed.environment import Clock
from homefeed.errors import LeaseHeldError, LeaseLostError
from homefeed.store.session import Store
from homefeed.store.tables import leases
from homefeed.times import format_time

_CLOCK_AHEAD: Final = 10
"""A lease that ends more than so many lengths from now was taken by a clock that was ahead, and holds no more."""

_column: Final = leases.c


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run an app's jobs until `expires`, in microseconds since 1970, as is `since`.

    `holder` says who has it, for people. `place` is where: see `acquire_lease`.
    """

    app: str
    token: int
    job: str
    holder: str
    place: str
    since: int
    expires: int


async def acquire_lease(
    store: Store,
    app: str,
    *,
    job: str,
    holder: str,
    now: int,
    length: int,
    place: str = "",
    alone: bool = False,
) -> Lease:
    """Take an app's lease for a `length` in microseconds, with a token above all before.

    One that has not expired is another's, unless it was taken at the same `place` by who must be dead since: the
    caller is there, and `alone`.

    Raises:
        LeaseHeldError: another has it; the text says who, and since when.
    """
    lease = Lease(app, 1, job, holder[:255], place[:255], now, now + length)
    insert = store.insert(leases).values(**asdict(lease))
    replaced = {name: insert.excluded[name] for name in ("job", "holder", "place", "since", "expires")}
    free = (_column.expires <= now) | (_column.expires > now + _CLOCK_AHEAD * length)
    if alone:
        free |= _column.place == lease.place
    statement = insert.on_conflict_do_update(
        index_elements=["app"], set_={"token": _column.token + 1, **replaced}, where=free
    ).returning(*_columns())
    async with store.write() as connection:
        found = (await connection.execute(statement)).first()
        if found is not None:
            return Lease(*found)
        other = await _find(connection, app)
    raise held_by(app, other)


async def find_lease(store: Store, app: str, now: int) -> Lease | None:
    """The lease that holds, if one does."""
    async with store.read() as connection:
        found = await _find(connection, app)
    return found if found is not None and found.expires > now else None


def held_by(app: str, other: Lease | None) -> LeaseHeldError:
    """The error for who comes second."""
    if other is None:
        return LeaseHeldError(f"another training of {app} is running; wait for it to end")
    return LeaseHeldError(
        f"another training of {app} is running: {other.job}, on {other.holder}, since {format_time(other.since)}; "
        "wait for it to end"
    )


async def release_lease(store: Store, lease: Lease) -> None:
    """Give a lease back; one that is another's by now stays as it is."""
    mine = (_column.app == lease.app, _column.token == lease.token)
    async with store.write() as connection:
        await connection.execute(leases.update().where(*mine).values(expires=0, place=""))


@asynccontextmanager
async def fenced(store: Store, lease: Lease, clock: Clock, length: int) -> AsyncIterator[AsyncConnection]:
    """A transaction in which a lease is held: nobody else takes it before the end, and then it is renewed.

    What is published within is published by the holder; an empty one renews the lease and does nothing else.

    Raises:
        LeaseLostError: the lease expired, or is another's: nothing within was done.
    """
    async with store.write() as connection:
        found = await _find(connection, lease.app, lock=True)
        if found is None or found.token != lease.token or found.expires <= clock():
            raise _lost(lease, found)
        yield connection
        renewed = leases.update().where(_column.app == lease.app).values(expires=clock() + length)
        await connection.execute(renewed)


async def _find(connection: AsyncConnection, app: str, *, lock: bool = False) -> Lease | None:
    query: sa.Select[Any] = sa.select(*_columns()).where(_column.app == app)
    found = (await connection.execute(query.with_for_update() if lock else query)).first()
    return None if found is None else Lease(*found)


def _lost(lease: Lease, found: Lease | None) -> LeaseLostError:
    ended = "it is gone"
    if found is not None and found.token == lease.token:
        ended = f"it expired at {format_time(found.expires)}"
    elif found is not None:
        ended = f"{found.job} on {found.holder} took it at {format_time(found.since)}"
    return LeaseLostError(
        f"{lease.job} of {lease.app} lost its lease while it slept, or could not reach the store: {ended}. "
        "What it made since is not published; run it again"
    )


def _columns() -> list[sa.Column[Any]]:
    return [_column[name] for name in Lease.__dataclass_fields__]
