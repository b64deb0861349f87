"""Codes by position, as many as each has, in one array: a wide row costs what it holds, and no other more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.catalog.growable import Growable
from homefeed.kernels import I32, I64, compiled, kernel, reads, several, writes
from homefeed.types import Codes, Positions

Places: TypeAlias = npt.NDArray[np.int64]

_LENGTH_BITS: Final = 28
_MAX_LENGTH: Final = (1 << _LENGTH_BITS) - 1
_MIN_WASTE: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class CodeRows:
    """Rows of codes as kernels read them, by `row_at`: `places` (rows,) say where in `codes` each one stands."""

    codes: Codes
    places: Places

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, position: int) -> Codes:
        return self.take(np.array([position], np.int32))[0]

    @classmethod
    def of(cls, rows: Sequence[Sequence[int]]) -> CodeRows:
        """Some rows."""
        lengths = np.array([len(row) for row in rows], np.int64)
        codes = np.fromiter(chain.from_iterable(rows), np.int32, int(lengths.sum()))
        return cls(codes, _packed(lengths, 0))

    def take(self, positions: Positions) -> tuple[Codes, Places]:
        """The codes of rows, one row after the other, and (n,) how many each has."""
        found: tuple[Codes, Places] = _taken(self.codes, self.places, positions)
        return found

    def having(self, code: int) -> Positions:
        """The positions of the rows that have a code, in order."""
        found: Positions = _having(self.codes, self.places, code)
        return found


class RaggedCodes:
    """Rows of codes by position, empty where none was written. Other threads may read while one writes."""

    def __init__(self) -> None:
        # The codes, and where each row starts and how long it is: one number, and replaced as one.
        self._rows: tuple[Codes, Growable[np.int64]] = np.full(4096, -1, np.int32), Growable(np.int64, 0)
        self._used = self._wasted = 0

    def first(self, size: int) -> CodeRows:
        """The first rows; they share memory, so that later writes show."""
        codes, places = self._rows
        return CodeRows(codes, places.first(size))

    def set_many(self, positions: Positions, rows: CodeRows) -> None:
        """Write rows (n,) at distinct positions (n,)."""
        written, lengths = rows.take(np.arange(len(rows), dtype=np.int32))
        end = self._used + len(written)
        self._make_room(end)
        codes, places = self._rows
        codes[self._used : end] = written
        places.grow(int(positions.max(initial=-1)) + 1)
        self._wasted += int((places.view[positions] & _MAX_LENGTH).sum())
        places.set_many(positions, _packed(lengths, self._used))
        self._used = end
        if self._wasted > max(self._used // 2, _MIN_WASTE):
            self._compact()

    def _make_room(self, size: int) -> None:
        codes, places = self._rows
        if size > len(codes):
            # Readers keep the old array, whole: the new one takes its place when it is.
            longer = np.full(max(size, 2 * len(codes)), -1, np.int32)
            longer[: self._used] = codes[: self._used]
            self._rows = longer, places

    def _compact(self) -> None:
        compact = RaggedCodes()
        size = len(self._rows[1])
        compact.set_many(np.arange(size, dtype=np.int32), self.first(size))
        self._rows, self._used, self._wasted = compact._rows, compact._used, 0


@compiled
def row_at(codes: Codes, place: np.int64) -> Codes:
    """The row at a place; less of it where it was written after the codes were taken."""
    start = place >> _LENGTH_BITS
    return codes[start : start + (place & _MAX_LENGTH)]


@kernel(several(writes(I32), writes(I64)), reads(I32), reads(I64), reads(I32))
def _taken(codes: Codes, places: Places, positions: Positions) -> tuple[Codes, Places]:
    count, total = len(positions), 0
    lengths = np.empty(count, np.int64)
    for row in range(count):
        lengths[row] = len(row_at(codes, places[positions[row]]))
        total += lengths[row]
    taken = np.empty(total, np.int32)
    start = 0
    for row in range(count):
        taken[start : start + lengths[row]] = row_at(codes, places[positions[row]])
        start += lengths[row]
    return taken, lengths


@kernel(writes(I32), reads(I32), reads(I64), I32)
def _having(codes: Codes, places: Places, code: int) -> Positions:
    found = np.empty(len(places), np.int32)
    count = 0
    for position in range(len(places)):
        for held in row_at(codes, places[position]):
            if held == code:
                found[count] = position
                count += 1
                break
    return found[:count].copy()


def _packed(lengths: Places, start: int) -> Places:
    """(n,) the places of rows that stand one after the other from `start` on."""
    if lengths.max(initial=0) > _MAX_LENGTH:
        raise OverflowError(f"a row of {lengths.max():,} codes; the most is {_MAX_LENGTH:,}")
    return (start + np.cumsum(lengths) - lengths) << _LENGTH_BITS | lengths
