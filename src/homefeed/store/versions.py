"""When a version of a model was made, by its name."""

from __future__ import annotations

from datetime import UTC, datetime

from homefeed.types import SECOND


def trained_at(version: str) -> int | None:
    """When a version was made, in microseconds since 1970; None where it does not tell."""
    try:
        moment = datetime.strptime(version.partition("-")[0], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    except ValueError:
        return None
    return round(moment.timestamp() * SECOND)
