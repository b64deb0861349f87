"""The catalogue's fields as columns, a class for each kind; each answers which items meet a filter."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from homefeed.catalog.comparing import numbers_mask, require_equality, times_mask
from homefeed.catalog.growable import Growable
from homefeed.catalog.locations import LocationColumn
from homefeed.catalog.packed import PackedRows
from homefeed.catalog.ragged import CodeRows, RaggedCodes
from homefeed.errors import InvalidError
from homefeed.numerals import number_text
from homefeed.times import format_time, parse_time
from homefeed.types import NO_POSITIONS, NO_TIME, Codes, Condition, Mask, Positions, Times
from homefeed.words import caseless


class Column(Protocol):
    """A field of every item."""

    def check(self, field: str, value: Any) -> Any:
        """The value as it is to be stored; InvalidError where it does not fit the field's kind."""

    def set(self, position: int, value: Any) -> None:
        """Write the field of one item; see `set_many`."""
        self.set_many(np.array([position], np.int32), [value])

    def set_many(self, positions: Positions, values: Sequence[Any]) -> None:
        """Write the field of items at distinct positions (n,): None empties it, and so does what does not fit."""

    def terms(self, position: int) -> tuple[str, ...]:
        """The words or values of one item."""

    def all_terms(self, size: int) -> list[tuple[str, ...]]:
        """The same of the first `size` items; those of equal ones may be one object."""
        return [self.terms(position) for position in range(size)]

    def mask(self, condition: Condition, size: int) -> Mask:
        """Which of the first `size` items meet the condition: (size,)."""


class TextColumn(Column):
    """Free text, such as a title."""

    def __init__(self) -> None:
        self._texts = PackedRows()

    def check(self, field: str, value: Any) -> Any:
        """Accepts strings."""
        return _scalar(field, "text", value)

    def set_many(self, positions: Positions, values: Sequence[Any]) -> None:
        """Write texts."""
        fitting = [value if type(value) is str else _fitting(self, value) or "" for value in values]
        self._texts.set_many(positions, [text.encode() for text in fitting])

    def text(self, position: int) -> str:
        """One item's text, empty where it has none."""
        return self._texts.text(position)

    def terms(self, position: int) -> tuple[str, ...]:
        """The text as one term."""
        text = self.text(position)
        return (text,) if text else ()

    def mask(self, condition: Condition, size: int) -> Mask:
        """Equality only, and by looking at every text as long: text is not for filtering at speed."""
        require_equality(condition, "text")
        return self._texts.equal_to(condition.value.encode(), size)


class CategoryColumn(Column):
    """One of a limited number of values; letter case does not matter in filters."""

    def __init__(self) -> None:
        self._codes = Growable(np.int32, -1)
        self._values: list[str] = []
        self._code_of: dict[str, int] = {}
        self._exact = Growable(np.int32, -1)
        self._exact_code_of: dict[str, int] = {}
        self._spellings: list[str] = []
        self._code_of_exact: list[int] = []

    def check(self, field: str, value: Any) -> Any:
        """Accepts strings, numbers and booleans, kept as strings."""
        return _scalar(field, "category", value)

    def set_many(self, positions: Positions, values: Sequence[Any]) -> None:
        """Write values."""
        fitting = [value if type(value) is str else _fitting(self, value) for value in values]
        exact = [self._exact_code(value) if value else -1 for value in fitting]
        self._codes.set_many(positions, [-1 if code < 0 else self._code_of_exact[code] for code in exact])
        self._exact.set_many(positions, exact)

    def codes(self, size: int) -> Codes:
        """(size,) the code of each item's value; -1 where it has none."""
        return self._codes.first(size)

    def code(self, value: object) -> int:
        """The code of a value, whatever its letter case; -2 of one that no item ever had."""
        return self._code_of.get(caseless(str(value)), -2)

    def value(self, code: int) -> str:
        """The value of a code, in the letter case it first had."""
        return self._values[code]

    @property
    def distinct(self) -> int:
        """How many values there are: codes are below it."""
        return len(self._values)

    def has(self, value: str) -> bool:
        """Whether any item ever had exactly that value."""
        return value in self._exact_code_of

    def spelled(self, position: int) -> str:
        """The value of an item as it was written, to the letter case and the code point; empty without one."""
        code = self._exact.view[position] if position < len(self._exact) else -1
        return self._spellings[code] if code >= 0 else ""

    def exact_codes(self, size: int) -> Codes:
        """(size,) the code of each item's value as it was written; -1 where it has none."""
        return self._exact.first(size)

    def exact_code(self, value: str) -> int:
        """The code of exactly that value; -2 of one that no item ever had."""
        return self._exact_code_of.get(value, -2)

    def equals(self, value: str, size: int) -> Mask:
        """(size,) which items have exactly that value, to the letter case and the code point."""
        return np.equal(self.exact_codes(size), self.exact_code(value))

    def equal(self, positions: Positions, values: Sequence[str], size: int) -> Mask:
        """(n,) whether the item at each position, none of them -1, has exactly the value beside it."""
        wanted = np.fromiter((self._exact_code_of.get(value, -2) for value in values), np.int32, len(values))
        return np.equal(self._exact.first(size)[positions], wanted)

    def terms(self, position: int) -> tuple[str, ...]:
        """The value, if any."""
        code = self._codes.view[position] if position < len(self._codes) else -1
        return (self._values[code],) if code >= 0 else ()

    def all_terms(self, size: int) -> list[tuple[str, ...]]:
        """The values."""
        codes = self.codes(size).tolist()  # before the values: items may get new ones meanwhile
        of_code = [*((value,) for value in self._values), ()]
        return [of_code[code] for code in codes]

    def mask(self, condition: Condition, size: int) -> Mask:
        """Items of that value."""
        require_equality(condition, "category")
        return np.equal(self.codes(size), self.code(condition.value))

    def _exact_code(self, value: str) -> int:
        code = self._exact_code_of.get(value)
        if code is None:
            self._code_of_exact.append(self._code(value))
            self._spellings.append(value)
            code = self._exact_code_of[value] = len(self._exact_code_of)
        return code

    def _code(self, value: str) -> int:
        code = self._code_of.setdefault(caseless(value), len(self._values))
        if code == len(self._values):
            self._values.append(value)
        return code


class TagsColumn(Column):
    """Several values of an item; letter case does not matter in filters."""

    def __init__(self) -> None:
        self._tags = PackedRows()
        self._spellings: list[str] = []
        self._exact_code_of: dict[str, int] = {}
        self._holders: dict[int, Positions] = {}
        self._code_of: dict[str, int] = {}
        self._codes = RaggedCodes()

    def check(self, field: str, value: Any) -> Any:
        """Accepts a list of strings, or one string with tags separated by `|`."""
        if value is None:
            return None
        if isinstance(value, str):
            value = value.split("|")
        if isinstance(value, list | tuple) and all(isinstance(tag, str) for tag in value):
            return [tag.strip() for tag in value if tag.strip()]
        raise InvalidError(f"{field}: expected a list of tags, got {value!r:.80}")

    def set_many(self, positions: Positions, values: Sequence[Any]) -> None:
        """Write the tags of items."""
        # Many items have the same tags: what is made of them is made once.
        place_of: dict[Any, int] = {}
        places = [place_of.setdefault(_key(value), len(place_of)) for value in values]
        tags = [tuple(_fitting(self, value) or ()) for value in place_of]
        rows = [array("i", [self._exact_code(tag) for tag in own]).tobytes() for own in tags]
        self._tags.set_many(positions, [rows[place] for place in places])
        folded = CodeRows.of([self._folded_codes(own) for own in tags])
        self._write_codes(positions, CodeRows(folded.codes, folded.places[places]))

    def codes(self, size: int) -> CodeRows:
        """The codes of the tags of the first `size` items."""
        return self._codes.first(size)

    def code(self, tag: object) -> int:
        """The code of a tag, whatever its letter case; -2 of one that no item ever had."""
        return self._code_of.get(caseless(str(tag)), -2)

    @property
    def distinct(self) -> int:
        """How many tags there are: codes are below it."""
        return len(self._code_of)

    def terms(self, position: int) -> tuple[str, ...]:
        """The tags."""
        return self._spelled(self._tags.row(position))

    def all_terms(self, size: int) -> list[tuple[str, ...]]:
        """The tags; those of equal rows are one object."""
        shared: dict[bytes, tuple[str, ...]] = {}
        rows = [self._tags.row(position) for position in range(size)]
        return [shared.get(row) or shared.setdefault(row, self._spelled(row)) for row in rows]

    def mask(self, condition: Condition, size: int) -> Mask:
        """Items with that tag."""
        require_equality(condition, "tags")
        mask = np.zeros(size, np.bool_)
        mask[self.holders(self.code(condition.value), size)] = True
        return mask

    def holders(self, code: int, size: int) -> Positions:
        """The positions below `size` of the items that have a tag, in order; not to be written to."""
        holders = self._of(code)
        return holders if not len(holders) or holders[-1] < size else holders[: holders.searchsorted(size)]

    def _exact_code(self, tag: str) -> int:
        code = self._exact_code_of.get(tag)
        if code is None:
            self._spellings.append(tag)
            code = self._exact_code_of[tag] = len(self._exact_code_of)
        return code

    def _folded_codes(self, tags: Sequence[str]) -> list[int]:
        codes = [self._code_of.setdefault(caseless(tag), len(self._code_of)) for tag in tags]
        return list(dict.fromkeys(codes))

    def _spelled(self, row: bytes) -> tuple[str, ...]:
        return tuple([self._spellings[code] for code in memoryview(row).cast("i")])

    def _write_codes(self, positions: Positions, rows: CodeRows) -> None:
        """Write the codes of items, and look up anew who has those that came or went."""
        if self._holders:
            before, _ = self._codes.first(int(positions.max(initial=-1)) + 1).take(positions)
            for code in np.union1d(before, rows.codes).tolist():
                self._holders.pop(code, None)
        self._codes.set_many(positions, rows)

    def _of(self, code: int) -> Positions:
        if code < 0:
            return NO_POSITIONS
        found = self._holders.get(code)
        if found is None:
            found = self._holders[code] = self._codes.first(len(self._tags)).having(code)
        return found


class NumberColumn(Column):
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

    def set_many(self, positions: Positions, values: Sequence[Any]) -> None:
        """Write numbers."""
        fitting = [_fitting(self, value) for value in values]
        self._numbers.set_many(positions, [math.nan if value is None else float(value) for value in fitting])

    def terms(self, position: int) -> tuple[str, ...]:
        """The number as text."""
        number = self._numbers.view[position] if position < len(self._numbers) else math.nan
        if math.isnan(number):
            return ()
        return (number_text(number) if number.is_integer() else f"{number:.15g}",)

    def mask(self, condition: Condition, size: int) -> Mask:
        """Items whose number compares as asked; those without one never do."""
        bound = _number(condition.field, condition.value)
        return numbers_mask(condition, self.numbers(size), bound)


class TimeColumn(Column):
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

    def set_many(self, positions: Positions, values: Sequence[Any]) -> None:
        """Write times."""
        fitting = [_fitting(self, value) for value in values]
        self._times.set_many(positions, [NO_TIME if value is None else parse_time("", value) for value in fitting])

    def terms(self, position: int) -> tuple[str, ...]:
        """The time as text."""
        time = self._times.view[position] if position < len(self._times) else NO_TIME
        return () if time == NO_TIME else (format_time(int(time)),)

    def mask(self, condition: Condition, size: int) -> Mask:
        """Items whose time compares as asked; those without one never do."""
        return times_mask(condition, self.times(size))


COLUMNS: Mapping[str, Callable[[], Column]] = {
    "text": TextColumn,
    "category": CategoryColumn,
    "tags": TagsColumn,
    "number": NumberColumn,
    "time": TimeColumn,
    "location": LocationColumn,
}


def _key(value: Any) -> Any:
    """What stands for equal values of tags in a dict; None for what cannot be tags."""
    try:
        hash(key := tuple(value) if isinstance(value, list) else value)
    except TypeError:
        return None
    return key


def _fitting(column: Column, value: Any) -> Any:
    try:
        return column.check("", value)
    except InvalidError:
        return None


def _scalar(field: str, kind: str, value: Any) -> Any:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return number_text(value)
    raise InvalidError(f"{field}: expected a string ({kind}), got {value!r:.80}")


def _number(field: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise InvalidError(f"{field}: expected a number, got {value!r:.80}")
    return number
