"""Attributes of items and users, and contexts of events, as their rows hold them: JSON objects."""

from __future__ import annotations

from typing import Any

import orjson


def read_attributes(text: Any) -> tuple[dict[str, Any], str | None]:
    """What a row holds, and what is wrong with it: of what cannot be read nothing is left."""
    try:
        loaded = orjson.loads(text)
    except (TypeError, ValueError) as error:
        return {}, f"not JSON: {error}"
    return (loaded, None) if isinstance(loaded, dict) else ({}, f"not a JSON object: {str(loaded)[:80]}")
