"""Times and durations: from text and numbers to microseconds since 1970, and back."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from homefeed.errors import InvalidError
from homefeed.types import DAY, SECOND

_EARLIEST = 0
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd])")
_UNITS = {"d": DAY, "h": 3_600 * SECOND, "m": 60 * SECOND, "s": SECOND}
_WHOLE_SECONDS = re.compile(r"-?\d{1,12}")


def parse_time(name: str, value: str | int | float) -> int:
    """Microseconds since 1970 of an ISO 8601 text (UTC where it has no offset) or of Unix seconds.

    Raises:
        InvalidError: it is neither, or lies before 1970 or after 2200.
    """
    try:
        if isinstance(value, str) and not _WHOLE_SECONDS.fullmatch(value.strip()):
            moment = datetime.fromisoformat(value.strip())
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            time = round(moment.timestamp() * SECOND)
        else:
            time = round(float(value) * SECOND)
    except (ValueError, OverflowError):
        raise InvalidError(f"{name}: expected an ISO 8601 time or Unix seconds, got {value!r:.80}") from None
    if not _EARLIEST <= time < 230 * 365.25 * DAY:
        raise InvalidError(f"{name}: expected a time from 1970 to 2199, got {value!r:.80}")
    return time


def format_time(time: int) -> str:
    """A time as ISO 8601 in UTC, to the microsecond if it has any."""
    return datetime.fromtimestamp(time / SECOND, UTC).isoformat().replace("+00:00", "Z")


def parse_duration(text: str) -> int:
    """Microseconds of a duration such as 90s, 10m, 1.5h or 1d.

    Raises:
        InvalidError: it is not a duration above 0.
    """
    found = _DURATION.fullmatch(text.strip())
    duration = round(float(found[1]) * _UNITS[found[2]]) if found else 0
    if duration <= 0:
        raise InvalidError(f'expected a duration such as 90s, 10m or 1.5h, got "{text}"')
    return duration


def format_duration(duration: int) -> str:
    """A duration above 0 as a number of the largest unit of which it is a whole number, else of seconds."""
    unit = next((unit for unit, length in _UNITS.items() if duration % length == 0), "s")
    return f"{duration / _UNITS[unit]:.6f}".rstrip("0").rstrip(".") + unit
