"""How a column of times is written: what Homefeed reads by itself, a unit, or a format of strptime."""

from __future__ import annotations

import re
import time
from collections import Counter
from dataclasses import dataclass
from typing import Final

import polars as pl

from homefeed.ingest.cells import as_mask, parse_times
from homefeed.propose.words import ID_WORDS, ITEMS, USERS, words_of
from homefeed.times import FEWEST_SECONDS, TimeUnit, likely_unit

_SHARE: Final = 0.95
_TRIED: Final = 2_000
_MARK: Final = re.compile(r"\d[-/. ,:T]")
_WORDS: Final = re.compile(
    r"(?i)time|date|day|_at\b|_on\b|created|published|updated|when|_ts\b|^ts$|stamp|epoch|seen|datum|uhrzeit|zeitpunkt|fecha|joined"
    r"|registered|signup|^at$|_ms$"
)
_NO_TIMES: Final = (
    ID_WORDS | USERS | ITEMS | {"phone", "tel", "telefon", "mobile", "ean", "gtin", "upc", "barcode"}
)
_APART: Final = 0.8
_APART_BY_LENGTH: Final = 0.2
"""Of numbers of twelve digits and more, which hardly anything else has: times in whole hours or days repeat."""
_FEWEST: Final = 3
_AHEAD: Final = 2 * 366 * 86_400
_PER_SECOND: Final[tuple[tuple[TimeUnit, float], ...]] = (("s", 1), ("ms", 1e3), ("us", 1e6), ("ns", 1e9))

_DATES: Final = (
    "%d.%m.%Y", "%d.%m.%y", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d",
    "%Y.%m.%d",
    "%d %b %Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y", "%b %d %Y", "%a %b %d %Y", "%d-%b-%Y", "%d-%b-%y",
)  # fmt: skip
_CLOCKS: Final = (
    "",
    " %H:%M",
    " %H:%M:%S",
    " %H:%M:%S%.f",
    " %I:%M %p",
    " %I:%M:%S %p",
    "T%H:%M:%S",
    ", %H:%M",
    " %H:%M:%S %z",
)
_WHOLE: Final = (
    "%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y", "%d/%b/%Y:%H:%M:%S %z",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """How times are read: as usual, by a `unit` or in a `format`; `ambiguous`: is the day or the month first?"""

    unit: TimeUnit | None = None
    format: str | None = None
    ambiguous: bool = False


def guess_reading(name: str, cells: pl.Series) -> Reading | None:
    """How the cells of a column are read as times, those that are there; None where they are none.

    Numbers are times by the name of their column, for a price may be 46,000 and an id 1,700,000,000; or where all
    lie between 1990 and two years from now, and nearly each is another, or one in five of milliseconds and less.
    """
    texts = cells.drop_nulls().str.strip_chars().head(_TRIED)
    if not len(texts):
        return None
    numeric = float(as_mask(texts.str.contains(r"^-?\d+(\.\d+)?$")).mean()) >= _SHARE
    if numeric:
        return _of_numbers(name, texts)
    if float(as_mask(texts.str.contains(r"^.{0,40}$") & texts.str.contains(r"\d")).mean()) < _SHARE:
        return None
    if _share(texts, Reading()) >= _SHARE:
        return Reading()
    if not _MARK.search(str(texts[0])):
        return None
    return _of_formats(texts)


def _of_numbers(name: str, texts: pl.Series) -> Reading | None:
    if not _WORDS.search(name):
        return _by_size(name, texts)
    if _share(texts, Reading()) >= _SHARE:
        years = float(as_mask(texts.str.len_bytes() == 4).mean()) >= _SHARE
        return None if years else Reading()
    (unit, count), *_ = Counter(likely_unit(text) for text in texts.to_list()).most_common(1)
    return Reading(unit=unit) if unit is not None and count >= _SHARE * len(texts) else None


def speaks_of_time(name: str) -> bool:
    """Whether the name of a column says that it holds times."""
    return _WORDS.search(name) is not None


def _by_size(name: str, texts: pl.Series) -> Reading | None:
    words = [word for word in words_of(name) if word.isalpha()]
    distinct = texts.n_unique()
    if (words and words[-1] in _NO_TIMES) or distinct < _FEWEST:
        return None
    numbers = texts.cast(pl.Float64, strict=False)
    latest = time.time() + _AHEAD
    for unit, count in _PER_SECOND:
        least = _APART if unit == "s" else _APART_BY_LENGTH
        if distinct < least * len(texts):
            continue
        if float(as_mask(numbers.is_between(FEWEST_SECONDS * count, latest * count)).mean()) >= _SHARE:
            return Reading() if unit == "s" else Reading(unit=unit)
    return None


def _of_formats(texts: pl.Series) -> Reading | None:
    tried = [date + clock for clock in _CLOCKS for date in _DATES] + list(_WHOLE)
    first = texts.head(20)
    found = [each for each in tried if _share(first, Reading(format=each)) >= 0.5]
    shares = {each: _share(texts, Reading(format=each)) for each in found}
    good = [each for each, share in shares.items() if share >= _SHARE]
    if not good:
        return None
    # A two-digit year is read by %Y as one of the first century, which is no time that is accepted.
    best = max(good, key=lambda each: (shares[each], -tried.index(each)))
    swapped = best.replace("%d", "%\0").replace("%m", "%d").replace("%\0", "%m")
    return Reading(format=best, ambiguous=swapped != best and shares.get(swapped, 0.0) == shares[best])


def _share(texts: pl.Series, reading: Reading) -> float:
    try:
        times = parse_times(texts, reading.unit, reading.format)
    except pl.exceptions.PolarsError:
        return 0.0
    return 1.0 - times.null_count() / len(texts)
