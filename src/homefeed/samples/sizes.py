"""How much a sample holds, and what is too little or too much."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from homefeed.errors import InvalidError

END: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""Where the default window of events ends: fixed, so that a sample never depends on today."""

_MOST_EVENTS_A_DAY: Final = 200


@dataclass(frozen=True)
class Summary:
    """What was written."""

    users: int
    items: int
    events: int
    files: tuple[Path, ...]


def check_sizes(end: datetime, **sizes: int) -> None:
    """Refuse sizes below one, and an `end` without a time zone.

    Raises:
        InvalidError: which of them, and what it has to be.
    """
    for name, value in sizes.items():
        if value < 1:
            raise InvalidError(f"{name}: expected at least 1, got {value}")
    if end.tzinfo is None:
        raise InvalidError("end: expected a time with a time zone")


def check_events(events: int, users: int, days: int) -> None:
    """Refuse no events, and more than so many users can tell in so many days.

    Raises:
        InvalidError: how many there may be.
    """
    most = _MOST_EVENTS_A_DAY * users * days
    if not 1 <= events <= most:
        raise InvalidError(f"events: expected 1 to {most:,} for {users:,} users in {days:,} days, got {events:,}")
