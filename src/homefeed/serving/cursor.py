"""Cursors: what the pages before have shown, and the slate they were taken from.

The next page goes on with that slate while it is kept and still holds. Else it is the best of all the rest,
chosen when it is requested. Either way no page repeats an item and none skips one, whatever events arrive in
between, on any replica.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from homefeed.errors import InvalidError
from homefeed.types import Numbers

MOST_SHOWN = 2_000
"""A feed ends after this many items, so that a cursor stays short enough for a URL."""

LAST = 50
"""How many of the last places a cursor keeps in their order, for rules about neighbouring places."""

LONGEST_TEXT = 44_000
"""Characters of a cursor: more than the longest that `encode` makes."""

_MOST_BYTES = 16 * (MOST_SHOWN + LAST)
_LARGEST = np.iinfo(np.int32).max


@dataclass(frozen=True, eq=False)
class Cursor:
    """`slate` is the id of a kept slate; `shown` all items so far and `last` the latest of them in their order,
    by their permanent numbers.
    """

    slate: int = 0
    shown: Numbers = field(default_factory=lambda: np.empty(0, np.int32))
    last: Numbers = field(default_factory=lambda: np.empty(0, np.int32))

    @cached_property
    def text(self) -> str:
        """The cursor as `encode` writes it: once, however often its page is given again."""
        return encode(self)


def encode(cursor: Cursor) -> str:
    """The cursor as a text for a URL."""
    shown = np.sort(cursor.shown)
    gaps = [*shown[:1].tolist(), *(shown[1:] - shown[:-1]).tolist()]
    fields = ([cursor.slate], gaps, cursor.last.tolist())
    text = ";".join(",".join(map(str, field)) for field in fields)
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def decode(text: str) -> Cursor:
    """The cursor of a text.

    Raises:
        InvalidError: it was not made by `encode`.
    """
    try:
        if len(text) > LONGEST_TEXT:
            raise ValueError(len(text))
        padded = text + "=" * (-len(text) % 4)
        inflater = zlib.decompressobj()
        inflated = inflater.decompress(base64.b64decode(padded, altchars=b"-_", validate=True), _MOST_BYTES)
        (slate,), gaps, last = ([int(part) for part in field.split(",")] for field in inflated.decode().split(";"))
        whole = inflater.eof and not inflater.unconsumed_tail and len(gaps) <= 2 * MOST_SHOWN and len(last) <= LAST
        # Their sum, where the last number comes from, may not wrap around either.
        if not whole or min(slate, *gaps, *last) < 0 or max(sum(gaps), *last) > _LARGEST:
            raise ValueError(text)
    except (ValueError, binascii.Error, zlib.error):
        raise InvalidError("cursor: unknown; send next_cursor as it was received") from None
    return Cursor(slate, np.cumsum(np.array(gaps, np.int32), dtype=np.int32), np.array(last, np.int32))
