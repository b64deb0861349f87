"""From the permanent numbers of items and users to their ids."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from homefeed.store.session import Store, chunked


async def ids_of_numbers(store: Store, ids: sa.Column[str], app: str, numbers: Collection[int]) -> dict[int, str]:
    """What the column `ids` of a table holds for each of the numbers; those that are gone are left out."""
    found: dict[int, str] = {}
    number = ids.table.c.number
    async with store.read() as connection:
        for some in chunked(sorted(numbers)):
            query = sa.select(number, ids).where(ids.table.c.app == app, number.in_(some))
            found.update(map(tuple, await connection.execute(query)))
    return found
