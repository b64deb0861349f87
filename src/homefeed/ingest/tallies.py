"""Counting rows by reason, each with the first few as examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from homefeed.ingest.printing import shortened
from homefeed.types import Mask

MOST_EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Example:
    """A row of a file: its number (the first row of data is 1) and its cells."""

    row: int
    values: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class Tally:
    """A number of rows, and the first of them."""

    count: int
    examples: tuple[Example, ...]


Tallies: TypeAlias = Mapping[str, Tally]
"""A tally for each reason."""

NO_TALLIES: Final[Tallies] = {}


def merged(*parts: Tallies) -> dict[str, Tally]:
    """The sum of tallies; the examples of the earlier ones come first."""
    result: dict[str, Tally] = {}
    for part in parts:
        for reason, tally in part.items():
            before = result.get(reason, Tally(0, ()))
            examples = (before.examples + tally.examples)[:MOST_EXAMPLES]
            result[reason] = Tally(before.count + tally.count, examples)
    return result


def total(tallies: Tallies) -> int:
    """The number of rows, for all reasons."""
    return sum(tally.count for tally in tallies.values())


def _shown(cells: Mapping[str, str | None]) -> dict[str, str | None]:
    return {name: None if cell is None else shortened(cell) for name, cell in cells.items()}


def line_example(row: int, line: str) -> Example:
    """An example of a line that could not be parsed."""
    readable = line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return Example(row, {"line": shortened(readable)})


def tally_rows(frame: pl.DataFrame, rows: npt.NDArray[np.int64], chosen: Mask) -> Tally:
    """The tally of the chosen rows of a batch."""
    indices = np.flatnonzero(chosen)
    examples = tuple(Example(int(rows[i]), _shown(frame.row(int(i), named=True))) for i in indices[:MOST_EXAMPLES])
    return Tally(len(indices), examples)


class RowChecks:
    """Collects the problems of the rows of one batch: each bad row has one reason, the first one given."""

    def __init__(self, frame: pl.DataFrame, rows: npt.NDArray[np.int64]) -> None:
        self._frame = frame
        self._rows = rows
        self._verdicts: npt.NDArray[np.int16] = np.zeros(len(rows), dtype=np.int16)
        self._reasons: list[str] = []
        self._warnings: list[tuple[str, Mask]] = []

    def reject(self, bad: Mask, reason: str) -> None:
        """Refuse rows, except those refused before."""
        fresh = bad & (self._verdicts == 0)
        if fresh.any():
            self._reasons.append(reason)
            self._verdicts[fresh] = len(self._reasons)

    def warn(self, odd: Mask, reason: str) -> None:
        """Note a problem of rows; it counts for those that are not refused in the end."""
        if odd.any():
            self._warnings.append((reason, odd))

    @property
    def good(self) -> Mask:
        """The rows that were not refused."""
        good: Mask = self._verdicts == 0
        return good

    def rejected(self) -> dict[str, Tally]:
        """The refused rows by reason."""
        return merged(
            *(
                {reason: tally_rows(self._frame, self._rows, self._verdicts == code)}
                for code, reason in enumerate(self._reasons, 1)
            )
        )

    def warnings(self) -> dict[str, Tally]:
        """The problems of rows that are kept, by reason."""
        good = self.good
        return {
            reason: tally_rows(self._frame, self._rows, odd & good)
            for reason, odd in self._warnings
            if (odd & good).any()
        }
