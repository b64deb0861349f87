"""How much an item, a user and an event may hold: what is beyond is refused before it is stored.

Over HTTP that is an answer 422, in a file a rejected row, in the same words. What was stored before is kept, and
can be shown, hidden and deleted like anything else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from homefeed.errors import InvalidError

MAX_NAME: Final = 255
"""Characters of the name of an attribute."""
MAX_TERM: Final = 255
"""Characters of a category, and of one of an item's tags."""
MAX_TEXT: Final = 50_000
"""Characters of any other text."""
MAX_TAGS: Final = 1_000
"""Tags of a field."""
MAX_ATTRIBUTES: Final = 1_000
"""Attributes of an item or a user, and entries of an event's context."""
MAX_ITEM_BYTES: Final = 262_144
"""Bytes of an item's attributes as JSON."""
MAX_USER_BYTES: Final = 65_536
"""Bytes of a user's attributes as JSON."""
MAX_CONTEXT_BYTES: Final = 16_384
"""Bytes of an event's context as JSON."""
MAX_PARAMETER: Final = 255
"""Characters of the name and of the value of what a request of a feed passes on as context."""

_NO_KINDS: Final[Mapping[str, str]] = {}


def find_excess(values: Mapping[str, Any], max_bytes: int, kinds: Mapping[str, str] = _NO_KINDS) -> str | None:
    """What of attributes is beyond a limit, in words; None where nothing is. `kinds` are of declared fields."""
    if len(values) > MAX_ATTRIBUTES:
        return f"more than {MAX_ATTRIBUTES:,} attributes"
    for name, value in values.items():
        if len(name) > MAX_NAME:
            return f"a name of an attribute is longer than {MAX_NAME} characters"
        if isinstance(value, str | list) and (excess := _excess(value, kinds.get(name))) is not None:
            return f"{name}: {excess}"
    return f"more than {max_bytes:,} bytes as JSON" if len(orjson.dumps(values)) > max_bytes else None


def _excess(value: str | list[Any], kind: str | None) -> str | None:
    if isinstance(value, str):
        longest = MAX_TERM if kind == "category" else MAX_TEXT
        return f"longer than {longest:,} characters" if len(value) > longest else None
    if kind != "tags":
        return None
    if len(value) > MAX_TAGS:
        return f"more than {MAX_TAGS:,} tags"
    too_long = any(isinstance(tag, str) and len(tag) > MAX_TERM for tag in value)
    return f"a tag longer than {MAX_TERM} characters" if too_long else None


def check_limits(
    what: str, values: Mapping[str, Any], max_bytes: int, kinds: Mapping[str, str] = _NO_KINDS
) -> None:
    """Refuse attributes beyond a limit; `what` they are of begins the error.

    Raises:
        InvalidError: it says which limit.
    """
    if values and (excess := find_excess(values, max_bytes, kinds)) is not None:
        raise InvalidError(f"{what}: {excess}; send less")


def check_merged(what: str, changes: Mapping[str, Any], merged: Mapping[str, Any], max_bytes: int) -> None:
    """The same of what changes make of attributes. Those that only take away are never refused.

    Raises:
        InvalidError: it says which limit.
    """
    if any(value is not None for value in changes.values()):
        check_limits(what, merged, max_bytes)
