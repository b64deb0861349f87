"""The catalogue's fields as columns, a class for each kind; each answers which items meet a filter."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from homefeed.catalog.growable import Growable
from homefeed.errors import InvalidError
from homefeed.times import format_time, parse_time
from homefeed.types import NO_TIME, Codes, Condition, Mask, Positions, Times

_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    ":": np.equal,
    ">=": np.greater_equal,
    "<=": np.less_equal,
    ">": np.greater,
    "<": np.less,
}
_MOST: Final = 1e15
"""A count beyond it is not one, and sums of such would leave a float's range."""


class Column(Protocol):
    """A field of every item."""

    def check(self, field: str, value: Any) -> Any:
        """The value as it is to be stored; InvalidError where it does not fit the field's kind."""

    def set(self, position: int, value: Any) -> None:
        """Write the field of one item; None empties it."""

    def terms(self, position: int) -> tuple[str, ...]:
        """The words or values of one item."""

    def mask(self, condition: Condition, size: int) -> Mask:
        """Which of the first `size` items meet the condition: (size,)."""


class TextColumn:
    """Free text, such as a title."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def check(self, field: str, value: Any) -> Any:
        """Accepts strings."""
        return _scalar(field, "text", value)

    def set(self, position: int, value: Any) -> None:
        """Write one text."""
        if position >= len(self._texts):
            self._texts.extend([""] * (position + 1 - len(self._texts)))
        self._texts[position] = "" if value is None else str(value)

    def text(self, position: int) -> str:
        """One item's text, empty where it has none."""
        return self._texts[position] if position < len(self._texts) else ""

    def terms(self, position: int) -> tuple[str, ...]:
        """The text as one term."""
        text = self.text(position)
        return (text,) if text else ()

    def mask(self, condition: Condition, size: int) -> Mask:
        """Equality only, and by looking at every text: text is not for filtering at speed."""
        _equality_only(condition, "text")
        return np.fromiter((self.text(p) == condition.value for p in range(size)), np.bool_, size)


class CategoryColumn:
    """One of a limited number of values; letter case does not matter in filters."""

    def __init__(self) -> None:
        self._codes = Growable(np.int32, -1)
        self._values: list[str] = []
        self._code_of: dict[str, int] = {}
        self._exact = Growable(np.int32, -1)
        self._exact_code_of: dict[str, int] = {}

    def check(self, field: str, value: Any) -> Any:
        """Accepts strings, numbers and booleans, kept as strings."""
        return _scalar(field, "category", value)

    def set(self, position: int, value: Any) -> None:
        """Write one value."""
        known = value not in (None, "")
        self._codes.set(position, self._code(str(value)) if known else -1)
        new = len(self._exact_code_of)
        self._exact.set(position, self._exact_code_of.setdefault(str(value), new) if known else -1)

    def codes(self, size: int) -> Codes:
        """(size,) the code of each item's value; -1 where it has none."""
        return self._codes.first(size)

    def code(self, value: object) -> int:
        """The code of a value, whatever its letter case; -2 of one that no item ever had."""
        return self._code_of.get(str(value).casefold(), -2)

    def value(self, code: int) -> str:
        """The value of a code, in the letter case it first had."""
        return self._values[code]

    def equals(self, value: str, size: int) -> Mask:
        """(size,) which items have exactly that value, to the letter case and the code point."""
        return np.equal(self._exact.first(size), self._exact_code_of.get(value, -2))

    def terms(self, position: int) -> tuple[str, ...]:
        """The value, if any."""
        code = self._codes.view[position] if position < len(self._codes) else -1
        return (self._values[code],) if code >= 0 else ()

    def mask(self, condition: Condition, size: int) -> Mask:
        """Items of that value."""
        _equality_only(condition, "category")
        return np.equal(self.codes(size), self.code(condition.value))

    def _code(self, value: str) -> int:
        code = self._code_of.setdefault(value.casefold(), len(self._values))
        if code == len(self._values):
            self._values.append(value)
        return code


class TagsColumn:
    """Several values of an item; letter case does not matter in filters."""

    def __init__(self) -> None:
        self._tags: list[tuple[str, ...]] = []
        self._holders: dict[str, set[int]] = {}
        self._positions: dict[str, Positions] = {}
        self._code_of: dict[str, int] = {}
        self._codes = np.full((1024, 4), -1, np.int32)

    def check(self, field: str, value: Any) -> Any:
        """Accepts a list of strings, or one string with tags separated by `|`."""
        if value is None:
            return None
        if isinstance(value, str):
            value = value.split("|")
        if isinstance(value, list | tuple) and all(isinstance(tag, str) for tag in value):
            return [tag.strip() for tag in value if tag.strip()]
        raise InvalidError(f"{field}: expected a list of tags, got {value!r:.80}")

    def set(self, position: int, value: Any) -> None:
        """Write one item's tags."""
        if position >= len(self._tags):
            self._tags.extend([()] * (position + 1 - len(self._tags)))
        for tag in self._tags[position]:
            self._holders[tag.casefold()].discard(position)
            self._positions.pop(tag.casefold(), None)
        self._tags[position] = tags = tuple(self.check("", value) or ())
        for tag in tags:
            self._holders.setdefault(tag.casefold(), set()).add(position)
            self._positions.pop(tag.casefold(), None)
        self._write_codes(position, [self._new_code(tag.casefold()) for tag in dict.fromkeys(tags)])

    def codes(self, size: int) -> Codes:
        """(size, width) the codes of each item's tags, the rest of its row -1."""
        self._make_room(size, 0)
        return self._codes[:size]

    def code(self, tag: object) -> int:
        """The code of a tag, whatever its letter case; -2 of one that no item ever had."""
        return self._code_of.get(str(tag).casefold(), -2)

    @property
    def distinct(self) -> int:
        """How many tags there are: codes are below it."""
        return len(self._code_of)

    def terms(self, position: int) -> tuple[str, ...]:
        """The tags."""
        return self._tags[position] if position < len(self._tags) else ()

    def mask(self, condition: Condition, size: int) -> Mask:
        """Items with that tag."""
        _equality_only(condition, "tags")
        mask = np.zeros(size, np.bool_)
        mask[self._of(condition.value.casefold())] = True
        return mask

    def _new_code(self, tag: str) -> int:
        return self._code_of.setdefault(tag, len(self._code_of))

    def _write_codes(self, position: int, codes: list[int]) -> None:
        distinct = list(dict.fromkeys(codes))
        self._make_room(position + 1, len(distinct))
        self._codes[position] = -1
        self._codes[position, : len(distinct)] = distinct

    def _make_room(self, rows: int, width: int) -> None:
        height, breadth = self._codes.shape
        if rows > height or width > breadth:
            # Readers keep the old table, whole: the new one takes its place when it is.
            shape = (max(rows, 2 * height) if rows > height else height, max(width, breadth))
            larger = np.full(shape, -1, np.int32)
            larger[:height, :breadth] = self._codes
            self._codes = larger

    def _of(self, tag: str) -> Positions:
        found = self._positions.get(tag)
        if found is None:
            holders = self._holders.get(tag, set())
            found = np.fromiter(holders, np.int32, len(holders))
            if holders:
                self._positions[tag] = found
        return found


class NumberColumn:
    """A number, such as a year or a price."""

    def __init__(self) -> None:
        self._numbers = Growable(np.float64, math.nan)

    def check(self, field: str, value: Any) -> Any:
        """Accepts finite numbers, and strings that are one."""
        if value is None:
            return None
        number = _number(field, value)
        return value if isinstance(value, int | float) else number

    def numbers(self, size: int) -> npt.NDArray[np.float64]:
        """(size,) each item's number; NaN where it has none."""
        return self._numbers.first(size)

    def set(self, position: int, value: Any) -> None:
        """Write one number."""
        self._numbers.set(position, math.nan if value in (None, "") else float(value))

    def terms(self, position: int) -> tuple[str, ...]:
        """The number as text."""
        number = self._numbers.view[position] if position < len(self._numbers) else math.nan
        return () if math.isnan(number) else (f"{number:.15g}",)

    def mask(self, condition: Condition, size: int) -> Mask:
        """Items whose number compares as asked; those without one never do."""
        bound = _number(condition.field, condition.value)
        mask: Mask = _COMPARE[condition.operator](self.numbers(size), bound)
        return mask


class TimeColumn:
    """A moment, such as when an offer ends. Kept as ISO 8601 text."""

    def __init__(self) -> None:
        self._times = Growable(np.int64, NO_TIME)

    def check(self, field: str, value: Any) -> Any:
        """Accepts ISO 8601 and Unix seconds."""
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise InvalidError(f"{field}: expected an ISO 8601 time or Unix seconds, got {value!r:.80}")
        return format_time(parse_time(field, value))

    def times(self, size: int) -> Times:
        """(size,) each item's time; NO_TIME where it has none."""
        return self._times.first(size)

    def set(self, position: int, value: Any) -> None:
        """Write one time."""
        self._times.set(position, NO_TIME if value in (None, "") else parse_time("", value))

    def terms(self, position: int) -> tuple[str, ...]:
        """The time as text."""
        time = self._times.view[position] if position < len(self._times) else NO_TIME
        return () if time == NO_TIME else (format_time(int(time)),)

    def mask(self, condition: Condition, size: int) -> Mask:
        """Items whose time compares as asked; those without one never do."""
        times = self.times(size)
        holds: Mask = _COMPARE[condition.operator](times, parse_time(condition.field, condition.value))
        mask: Mask = holds & (times != NO_TIME)
        return mask


COLUMNS: Mapping[str, Callable[[], Column]] = {
    "text": TextColumn,
    "category": CategoryColumn,
    "tags": TagsColumn,
    "number": NumberColumn,
    "time": TimeColumn,
}


def as_counts(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(n,) numbers of a column as counts of something: whole, 0 for NaN and what is below 0."""
    return np.floor(np.clip(np.nan_to_num(numbers, nan=0.0), 0.0, _MOST))


def _scalar(field: str, kind: str, value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    raise InvalidError(f"{field}: expected a string ({kind}), got {value!r:.80}")


def _number(field: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise InvalidError(f"{field}: expected a number, got {value!r:.80}")
    return number


def _equality_only(condition: Condition, kind: str) -> None:
    if condition.operator != ":":
        raise InvalidError(
            f"filter {condition.field}{condition.operator}{condition.value}: {condition.field} is a {kind} field; "
            f"expected {condition.field}:value"
        )
