"""What makes an event the same event: its key, and what it says."""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from homefeed.store.attributes import read_attributes
from homefeed.types import Event

NO_ITEM: Final = 0
"""The number in place of an item's in events about a query: items are numbered from 1."""

_MOMENTS: Final = (1 << 48) - 1


class Content(NamedTuple):
    """What an event of a user says, without how it came; `query` is None unless it is about one."""

    item: int
    event_type: str
    value: float | None
    query: str | None
    time: int

    def agrees(self, logged: Content, *, time_told: bool = True) -> bool:
        """Whether this, told again, is what was logged; a time that was not told is that of the telling."""
        return self == logged if time_told else self[:-1] == logged[:-1]


def content_of_row(item: int, event_type: str, value: float | None, time: int, context: str | None) -> Content:
    """What a row of the log says."""
    query = read_attributes(context)[0].get("query") if item == NO_ITEM and context is not None else None
    return Content(item, event_type, value, query, time)


def event_key(event: Event) -> bytes:
    """The 16 bytes that make an event idempotent: of its user and event_id, else of all its fields.

    So the same event sent twice, by a file or over HTTP, counts once.
    """
    whole = (event.user_id, event.item_id, event.event_type, event.value, event.time, event.event_id)
    return row_key(*whole, event.query)


def row_key(
    user_id: str,
    item_id: str,
    event_type: str,
    value: float | None,
    time: int,
    event_id: str | None,
    query: str | None = None,
) -> bytes:
    """The key of an event given as the cells of a row; `item_id` is empty where it is about a `query`."""
    if event_id is not None:
        return content_key("id", user_id, event_id)
    # 3 is 3.0, and -0.0 is 0.0.
    number = None if value is None else value + 0.0
    about = repr(item_id) if item_id else f"query {query!r}"
    content = f"{user_id!r},{about},{event_type!r},{number!r},{time}".encode()
    # Keys begin with the time (to 32 microseconds): those of one moment are together in the index. Random ones
    # would each touch a page of their own, which at five million events doubles the cost of writing.
    return (time >> 5 & _MOMENTS).to_bytes(6, "big") + hashlib.blake2b(content, digest_size=10).digest()


def content_key(*parts: str | float | int | None) -> bytes:
    """16 bytes that differ where any part differs."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()
