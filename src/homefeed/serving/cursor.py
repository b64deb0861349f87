"""Cursors: what the pages before have shown, in the cursor itself.

The next page is the best of all the rest, chosen when it is asked for: no page repeats an item and none
skips one, whatever events arrive in between, on any replica, with nothing kept between requests.
"""

from __future__ import annotations

import base64
import binascii
import zlib

import numpy as np

from homefeed.errors import InvalidError
from homefeed.types import Numbers

MOST_SHOWN = 2_000
"""A feed ends after this many items, so that a cursor stays short enough for a URL."""

_MOST_BYTES = 16 * MOST_SHOWN


def encode(shown: Numbers) -> str:
    """A cursor of the permanent numbers of all items shown so far."""
    gaps = np.diff(np.sort(shown).astype(np.int64), prepend=0)
    text = ",".join(map(str, gaps.tolist()))
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def decode(cursor: str) -> Numbers:
    """The numbers of a cursor.

    Raises:
        InvalidError: it is not one.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        inflater = zlib.decompressobj()
        text = inflater.decompress(base64.b64decode(padded, altchars=b"-_", validate=True), _MOST_BYTES)
        gaps = [int(gap) for gap in text.decode("ascii").split(",")]
        whole = inflater.eof and not inflater.unconsumed_tail and len(gaps) <= 2 * MOST_SHOWN
        # Their sum, where the last number comes from, may not wrap around either.
        if not whole or min(gaps) < 0 or sum(gaps) > np.iinfo(np.int32).max:
            raise ValueError(cursor)
    except (ValueError, binascii.Error, zlib.error):
        raise InvalidError("cursor: not one of ours; pass on next_cursor as it was given") from None
    return np.cumsum(np.array(gaps, np.int32), dtype=np.int32)
