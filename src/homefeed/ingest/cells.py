"""From cells of text to values, a column at a time; what cannot be read becomes null."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import orjson
import polars as pl

from homefeed.numerals import load_json, number_text
from homefeed.recipe.sources import threshold_of
from homefeed.times import EARLIEST, FEWEST_SECONDS, LATEST, UNIT_NAMES, TimeUnit, likely_unit, read_time
from homefeed.types import DAY, SECOND, Mask

_SECONDS: Final = r"^\d{9,10}(\.\d+)?$"
_COMMON: Final = r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d:[0-5]\d(\.\d{1,9})?Z?)?$"
_WHOLE_NUMBER: Final = r"^-?\d+(\.0+)?$"
_COMPARE: Final[Mapping[str, Callable[[pl.Series, float], pl.Series]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_MICROSECONDS: Final = {"s": 10**6, "ms": 10**3, "us": 1, "ns": 10**-3}
_SPREADSHEET_EPOCH: Final = 25_569
"""1970 in days of a spreadsheet, which count from 1899-12-30."""

_BOOLEANS: Final = {
    "true": True, "yes": True, "y": True, "t": True, "1": True,
    "false": False, "no": False, "n": False, "f": False, "0": False,
}  # fmt: skip


def as_mask(column: pl.Series) -> Mask:
    """A boolean column as an array; null is false."""
    return column.fill_null(False).to_numpy()


def is_missing(cells: pl.Series) -> Mask:
    """Where a cell is empty or only white space."""
    return as_mask(cells.is_null() | (cells.str.strip_chars().str.len_bytes() == 0))


def whole_numbers(cells: pl.Series) -> tuple[pl.Series, Mask]:
    """Cells of a column of whole numbers, without a fraction, and those that had one; else the cells as they are.

    Programs that have no missing whole numbers write such a column as 77.0. Among 1.0 and 1.1 it is no fraction.
    """
    none = np.zeros(len(cells), np.bool_)
    if not cells.str.contains(".0", literal=True).any():
        return cells, none
    whole = as_mask(cells.str.contains(_WHOLE_NUMBER))
    if not (whole | is_missing(cells)).all():
        return cells, none
    return cells.str.replace(r"\.0+$", ""), as_mask(cells.str.contains(".", literal=True))


def mapped(cells: pl.Series, entries: Mapping[str, str]) -> pl.Series:
    """What each cell becomes by the first entry that holds; null where none does."""
    texts, numbers = cells.str.strip_chars(), parse_numbers(cells)
    found = pl.repeat(None, len(cells), dtype=pl.String, eager=True)
    for key, becomes in reversed(list(entries.items())):
        threshold = threshold_of(key)
        if not key:
            holds = pl.Series(is_missing(cells))
        elif threshold is None:
            holds = texts == key
        else:
            holds = _COMPARE[threshold[0]](numbers, threshold[1])
        found = pl.select(pl.when(holds).then(pl.lit(becomes)).otherwise(found)).to_series()
    return found


def joined(latitudes: pl.Series, longitudes: pl.Series) -> pl.Series:
    """Cells of both with a comma between them; null where neither has anything."""
    north, east = (
        pl.select(pl.when(~pl.lit(is_missing(each))).then(each)).to_series() for each in (latitudes, longitudes)
    )
    both = north.fill_null("") + "," + east.fill_null("")
    return pl.select(pl.when(north.is_not_null() | east.is_not_null()).then(both)).to_series()


def parse_numbers(cells: pl.Series, multiply: float = 1.0) -> pl.Series:
    """Finite numbers, scaled."""
    numbers = cells.str.strip_chars().cast(pl.Float64, strict=False) * multiply
    return pl.select(pl.when(numbers.is_finite()).then(numbers)).to_series()


def parse_times(cells: pl.Series, unit: TimeUnit | None = None, written: str | None = None) -> pl.Series:
    """Microseconds since 1970 of times from 1970 to 2199.

    They are numbers of a `unit`, or `written` in the codes of strptime, or whatever `read_time` reads.
    """
    text = cells.str.strip_chars()
    if written is not None:
        times = text.str.to_datetime(written, time_unit="us", strict=False).cast(pl.Int64)
    elif unit is not None:
        times = _times_of_numbers(text, unit)
    else:
        times = _times_as_written(text)
    return pl.select(pl.when(times.is_between(EARLIEST, LATEST, closed="left")).then(times)).to_series()


def faults_of_times(cells: pl.Series, bad: Mask, label: str) -> list[tuple[str, Mask]]:
    """What is wrong with each of the `bad` cells: what it looks like, and which setting reads it."""
    units = {text: likely_unit(text) for text in cells.filter(bad).drop_nulls().unique()}
    of_cells = cells.replace_strict(list(units), list(units.values()), default=None, return_dtype=pl.String)
    faults = [
        (f'bad {label}: looks like {UNIT_NAMES[unit]}, read by unit = "{unit}"', bad & as_mask(of_cells == unit))
        for unit in UNIT_NAMES
        if unit in units.values()
    ]
    others = bad & as_mask(of_cells.is_null())
    return [*faults, (f"bad {label}", others)]


def parse_flags(cells: pl.Series) -> pl.Series:
    """Booleans in the usual spellings."""
    words = cells.str.strip_chars().str.to_lowercase()
    return words.replace_strict(_BOOLEANS, default=None, return_dtype=pl.Boolean)


def parse_tags(cell: str, separator: str) -> list[str]:
    """The terms of a cell: a JSON list, or parts between separators; empty ones are left out."""
    parts = _json_list(cell)
    if parts is None:
        parts = cell.split(separator) if separator else [cell]
    return [part.strip() for part in parts if part.strip()]


def whole_or_real(number: float | None) -> int | float | None:
    """The number as text, without a needless fraction: 42 rather than 42.0."""
    if number is None or not number.is_integer() or abs(number) >= 2**53:
        return number
    return int(number)


def _times_as_written(text: pl.Series) -> pl.Series:
    is_seconds = text.str.contains(_SECONDS).fill_null(False)
    times = (
        _times_of_numbers(text, "s")
        if is_seconds.any()
        else pl.repeat(None, len(text), dtype=pl.Int64, eager=True)
    )
    times = pl.select(pl.when(times >= FEWEST_SECONDS * SECOND).then(times)).to_series()
    if not is_seconds.all():
        iso = _iso_times(pl.select(pl.when(~is_seconds).then(text)).to_series())
        times = pl.select(pl.when(is_seconds).then(times).otherwise(iso)).to_series()
    return times


def _times_of_numbers(text: pl.Series, unit: TimeUnit) -> pl.Series:
    if unit == "days":
        days = text.cast(pl.Float64, strict=False) - _SPREADSHEET_EPOCH
        return (days * DAY).round().cast(pl.Int64, strict=False)
    whole = text.cast(pl.Int64, strict=False)
    whole = whole // 1_000 if unit == "ns" else whole * _MICROSECONDS[unit]
    if text.str.contains(".", literal=True).any():
        real = (text.cast(pl.Float64, strict=False) * _MICROSECONDS[unit]).round().cast(pl.Int64, strict=False)
        return pl.select(pl.coalesce(whole, real)).to_series()
    return whole


def _iso_times(text: pl.Series) -> pl.Series:
    common = text.str.contains(_COMMON).fill_null(False)
    moments = text.str.strip_chars_end("Z").str.replace(" ", "T", literal=True)
    dates = moments.str.len_bytes() == 10
    if dates.any():
        moments = pl.select(pl.when(dates).then(moments + "T00:00:00").otherwise(moments)).to_series()
    known = pl.select(pl.when(common).then(moments)).to_series()
    times = known.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False).cast(pl.Int64)
    odd = pl.select(pl.when(~common).then(text)).to_series()
    if odd.null_count() == len(odd):
        return times
    others = odd.drop_nulls().unique()
    read = odd.replace_strict(others, [read_time(cell) for cell in others], default=None, return_dtype=pl.Int64)
    return pl.select(pl.coalesce(times, read)).to_series()


def _json_list(cell: str) -> list[str] | None:
    if not (cell.startswith("[") and cell.endswith("]")):
        return None
    try:
        parts = load_json(cell.encode())
    except orjson.JSONDecodeError:
        return None
    return [_tag(part) for part in parts if part is not None]


def _tag(part: Any) -> str:
    if isinstance(part, str):
        return part
    is_number = isinstance(part, int | float) and not isinstance(part, bool)
    return number_text(part) if is_number else orjson.dumps(part).decode()
