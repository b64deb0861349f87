"""Cursors of plain listings: the number of the last row of a page."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from fastapi import Query

from homefeed.errors import InvalidError

Limit: TypeAlias = Annotated[int, Query(ge=1, le=1_000)]
Cursor: TypeAlias = Annotated[str | None, Query(description="`next_cursor` of the page before.")]

_LARGEST = 2**31 - 1


def after(cursor: str | None) -> int:
    """The number to list beyond.

    Raises:
        InvalidError: the cursor was not made by this API.
    """
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdecimal() and int(cursor[:11]) <= _LARGEST and len(cursor) <= 10):
        raise InvalidError("cursor: unknown; send next_cursor as it was received")
    return int(cursor)
