"""What the cells of a column look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from homefeed.ingest.cells import as_mask, is_missing, parse_flags, parse_numbers, parse_tags, whole_numbers
from homefeed.propose.reading import Sample
from homefeed.propose.times import Reading, guess_reading
from homefeed.propose.words import says
from homefeed.types import Mask

_MOST: Final = 0.95
_TRIED: Final = 5_000
_URL: Final = r"^(https?:)?//\S+$|^www\.\S+$|^\S+\.(jpe?g|png|gif|webp|svg|mp4)$"
_SEPARATORS: Final = ("|", ";", ", ", ",", "/")
_LISTS: Final = (
    "tag", "tags", "genre", "genres", "categories", "keywords", "keyword", "topics", "labels", "colors", "colours",
    "sizes", "ingredients", "interests", "preferences", "skills", "languages", "cuisines", "authors", "actors",
    "cast", "amenities", "styles", "themes", "subjects", "hashtags",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Profile:
    """A column: shares are of the cells that are not empty, and from 0 to 1.

    `filled` is the share of the rows that have a cell, `distinct` the number of different ones. `low` and `high`
    are the smallest and largest number where most are. `separator` is what stands between several values, `""` for
    lists in JSON.
    """

    name: str
    filled: float
    distinct: int
    unique: float
    numbers: float
    whole: float
    low: float
    high: float
    urls: float
    flags: float
    letters: float
    words: float
    longest: int
    reading: Reading | None
    separator: str | None
    examples: tuple[str, ...]

    @property
    def is_number(self) -> bool:
        """Whether it holds numbers."""
        return self.numbers >= _MOST

    @property
    def is_time(self) -> bool:
        """Whether it holds times."""
        return self.reading is not None

    @property
    def is_url(self) -> bool:
        """Whether it holds addresses, of pages or images."""
        return self.urls >= 0.9

    @property
    def is_key(self) -> bool:
        """Whether it tells rows apart, but for a few that are there twice."""
        return self.filled >= 0.97 and self.unique >= 0.97 and self.longest <= 255


def profile_of(sample: Sample) -> tuple[Profile, ...]:
    """A profile of each column of the head of a file."""
    return tuple(_profiled(sample.frame[name]) for name in sample.frame.columns)


def _profiled(column: pl.Series) -> Profile:
    name = column.name
    there = column.filter(~pl.Series(is_missing(column)))
    cells = whole_numbers(there)[0].str.strip_chars()
    head = cells.head(_TRIED)
    distinct = cells.n_unique() if len(cells) else 0
    numbers = parse_numbers(cells)
    lengths = head.str.len_chars()
    return Profile(
        name=name,
        filled=len(cells) / max(len(column), 1),
        distinct=distinct,
        unique=distinct / max(len(cells), 1),
        numbers=_share(~as_mask(numbers.is_null())),
        whole=_share(as_mask(cells.str.contains(r"^-?\d+$"))),
        low=float(numbers.min() or 0.0),  # type: ignore[arg-type]
        high=float(numbers.max() or 0.0),  # type: ignore[arg-type]
        urls=_share(as_mask(head.str.contains(_URL))),
        flags=_share(~as_mask(parse_flags(head).is_null())),
        letters=_share(as_mask(head.str.contains(r"[^\W\d_]"))),
        words=float(head.str.count_matches(r"\S+").mean() or 0.0),  # type: ignore[arg-type]
        longest=int(lengths.max() or 0),  # type: ignore[arg-type]
        reading=guess_reading(name, head),
        separator=_separator(name, head.to_list()),
        examples=tuple(cells.unique(maintain_order=True).head(3).to_list()),
    )


def _share(mask: Mask) -> float:
    return float(mask.mean()) if len(mask) else 0.0


def _separator(name: str, cells: Sequence[str]) -> str | None:
    """What stands between the values of cells with several: they are short, and come again in other cells.

    A name that speaks of several is enough where they do not come again so often.
    """
    named = says(name, *_LISTS)
    if cells and sum(cell.startswith("[") and cell.endswith("]") for cell in cells) >= _MOST * len(cells):
        return ""
    for separator in _SEPARATORS:
        several = sum(separator in cell for cell in cells) / max(len(cells), 1)
        if several < (0.02 if named else 0.2):
            continue
        parts = [part for cell in cells for part in parse_tags(cell, separator)]
        again = 1 - len(set(parts)) / max(len(parts), 1)
        length = sum(map(len, parts)) / max(len(parts), 1)
        lettered = sum(any(map(str.isalpha, part)) for part in parts) / max(len(parts), 1)
        if lettered < 0.5 and separator != "|":
            continue
        if (
            length > 30
            or (separator == "/" and not named)
            or (separator in {",", ", "} and not named and (again < 0.7 or length > 20))
        ):
            continue
        if named or again >= 0.5:
            return "," if separator == ", " else separator
    return None
