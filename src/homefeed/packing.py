"""JSON as it is kept in memory."""

from __future__ import annotations

from typing import Any

import orjson


def packed_json(value: Any) -> bytes:
    """The JSON of a value, in no more memory than its text needs.

    What orjson returns keeps the kilobytes of the buffer that it was written in, which a million items would feel.
    """
    return bytes(memoryview(orjson.dumps(value)))
