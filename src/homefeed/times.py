"""Times and durations: from text and numbers to microseconds since 1970, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeAlias

from homefeed.errors import InvalidError
from homefeed.types import DAY, SECOND

EARLIEST: Final = 0
LATEST: Final = 7_258_118_400 * SECOND
"""The end of 2199. Times before 1970 or after this are refused."""

TimeUnit: TypeAlias = Literal["s", "ms", "us", "ns", "days"]

FEWEST_SECONDS: Final = 631_152_000
"""1990. A smaller number is no Unix seconds: it is more likely a date, or a number of another unit."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd])")
_UNITS: Final = {"d": DAY, "h": 3_600 * SECOND, "m": 60 * SECOND, "s": SECOND}
_NUMBER: Final = re.compile(r"-?\d{1,40}(\.\d{0,40})?", re.ASCII)
_COMPACT: Final = re.compile(r"(\d{4})(?:(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?)?", re.ASCII)
_ISO: Final = re.compile(
    r"(\d{4}-?\d\d-?\d\d|\d{4}-?W\d\d(-?\d)?)([T ]\d\d(:?\d\d(:?\d\d([.,]\d+)?)?)? ?(Z|[+-]\d\d(:?\d\d)?)?)?",
    re.ASCII,
)
_LIKELY_UNITS: Final[tuple[tuple[int, int, TimeUnit], ...]] = (
    (20_000, 80_000, "days"),
    (10**11, 10**14, "ms"),
    (10**14, 10**17, "us"),
    (10**17, 10**20, "ns"),
)
UNIT_NAMES: Final[Mapping[TimeUnit, str]] = {
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "ns": "nanoseconds",
    "days": "a spreadsheet's days",
}


def read_time(text: str) -> int | None:
    """Microseconds since 1970 of a text, from 1970 to 2199, or None.

    It is ISO 8601 (UTC where it has no offset), with or without separators, a year by itself, or Unix seconds from
    1990 on. A number that is a date is the date: 20260105 and 2026 are days in 2026, not minutes of 1970.
    """
    text = text.strip().upper()
    compact = _COMPACT.fullmatch(text)
    time = None if compact is None else _moment(_in_iso(*compact.groups()))
    if time is None and _NUMBER.fullmatch(text):
        seconds = float(text)
        time = round(seconds * SECOND) if FEWEST_SECONDS <= seconds < LATEST / SECOND else None
    elif time is None and _ISO.fullmatch(text):
        time = _moment(text.replace(" Z", "Z").replace(" +", "+").replace(" -", "-"))
    return time if time is not None and EARLIEST <= time < LATEST else None


def likely_unit(text: str) -> TimeUnit | None:
    """What a number that is no time by itself looks like it counts, by its size."""
    if not _NUMBER.fullmatch(text.strip()):
        return None
    number = float(text)
    return next((unit for fewest, most, unit in _LIKELY_UNITS if fewest <= number < most), None)


def parse_time(name: str, value: str | int | float) -> int:
    """Microseconds since 1970 of a text or a number, as `read_time` reads it.

    Raises:
        InvalidError: it is no time, or lies before 1970 or after 2199; the text says what it looks like.
    """
    text = value if isinstance(value, str) else _written(value)
    time = read_time(text)
    if time is None:
        unit = likely_unit(text)
        hint = "" if unit is None else f"; it looks like {UNIT_NAMES[unit]}"
        raise InvalidError(
            f"{name}: expected an ISO 8601 time from 1970 to 2199, or Unix seconds from 1990 on, "
            f"got {value!r:.80}{hint}"
        )
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


def _in_iso(year: str, month: str | None, day: str | None, *clock: str | None) -> str:
    return f"{year}-{month or '01'}-{day or '01'}T" + ":".join(part or "00" for part in clock)


def _moment(text: str) -> int | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)


def _written(number: float) -> str:
    whole = abs(number) < 2**63 and number == int(number)
    return str(int(number)) if whole else repr(float(number)) if isinstance(number, float) else ""
