"""Byte strings by position in one buffer, and ids by position and back: a few bytes of memory an item.

A string or a set of a million items would be an object of its own each, of 50 bytes and more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from homefeed.catalog.growable import Growable
from homefeed.types import Mask, Positions

_LENGTH_BITS: Final = 28
_MAX_LENGTH: Final = (1 << _LENGTH_BITS) - 1
_MIN_WASTE: Final = 1 << 20
_MAX_RECENT: Final = 1_024


class PackedRows:
    """Byte strings by position, empty where none was written. Other threads may read while one writes."""

    def __init__(self) -> None:
        # Where a row starts and how long it is are one number, and replaced as one.
        self._packed = bytearray(), Growable(np.int64, 0)
        self._wasted = 0

    def __len__(self) -> int:
        return len(self._packed[1])

    def row(self, position: int) -> bytes:
        """The bytes of one position."""
        return bytes(self._slice(position))

    def text(self, position: int) -> str:
        """The same as the text that they encode."""
        return self._slice(position).decode()

    def equal_to(self, row: bytes, size: int) -> Mask:
        """(size,) which of the first rows are this one. Only those as long are looked at."""
        buffer, places = self._packed
        found = np.zeros(size, np.bool_)
        known = places.view[: min(size, len(places))]
        found[len(known) :] = not row
        alike = np.flatnonzero((known & _MAX_LENGTH) == len(row))
        starts = (known[alike] >> _LENGTH_BITS).tolist()
        found[alike] = [buffer.startswith(row, start) for start in starts]
        return found

    def set_many(self, positions: Positions, rows: Sequence[bytes]) -> None:
        """Write rows (n,) at distinct positions (n,)."""
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        if lengths.max(initial=0) > _MAX_LENGTH:
            raise OverflowError(f"a row of {lengths.max():,} bytes; the most is {_MAX_LENGTH:,}")
        buffer, places = self._packed
        ends = len(buffer) + np.cumsum(lengths)
        buffer += b"".join(rows)
        places.grow(int(positions.max(initial=-1)) + 1)
        self._wasted += int((places.view[positions] & _MAX_LENGTH).sum())
        places.set_many(positions, (ends - lengths) << _LENGTH_BITS | lengths)
        if self._wasted > max(len(buffer) // 2, _MIN_WASTE):
            self._compact()

    def _slice(self, position: int) -> bytearray:
        buffer, places = self._packed
        place = int(places.view[position]) if position < len(places) else 0
        start = place >> _LENGTH_BITS
        return buffer[start : start + (place & _MAX_LENGTH)]

    def _compact(self) -> None:
        packed = PackedRows()
        packed.set_many(
            np.arange(len(self), dtype=np.int32), [self.row(position) for position in range(len(self))]
        )
        self._packed, self._wasted = packed._packed, 0


class Ids:
    """Ids by position, each once, and positions by id. Other threads may read while one appends."""

    def __init__(self) -> None:
        self._rows = PackedRows()
        self._size = 0
        # The hashes of ids, sorted, and their positions; the latest ids are in the dict only.
        nothing = np.empty(0, np.int64), np.empty(0, np.int32)
        self._index: tuple[npt.NDArray[np.int64], Positions, dict[str, int]] = (*nothing, {})

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, position: int) -> str:
        if not 0 <= position < self._size:
            raise IndexError(position)
        return self._rows.text(position)

    def find(self, item_id: str) -> int | None:
        """The position of an id; None of one that is not here."""
        hashes, positions, recent = self._index
        known = recent.get(item_id)
        if known is not None:
            return known
        hashed = hash(item_id)
        place = int(hashes.searchsorted(hashed))
        while place < len(hashes) and hashes[place] == hashed:
            if self._rows.text(int(positions[place])) == item_id:
                return int(positions[place])
            place += 1
        return None

    def find_many(self, ids: Sequence[str]) -> list[int | None]:
        """The position of each id."""
        hashes, _, recent = self._index
        found = [recent.get(item_id) for item_id in ids]
        if len(hashes):
            wanted = _hashes(ids)
            places = np.minimum(hashes.searchsorted(wanted), len(hashes) - 1)
            for place in np.flatnonzero(hashes[places] == wanted).tolist():
                found[place] = self.find(ids[place])
        return found

    def extend(self, ids: Sequence[str]) -> None:
        """Append ids, of which none is here."""
        size = self._size + len(ids)
        self._rows.set_many(np.arange(self._size, size, dtype=np.int32), [item_id.encode() for item_id in ids])
        hashes, positions, recent = self._index
        recent.update(zip(ids, range(self._size, size), strict=True))
        self._size = size
        if len(recent) > max(_MAX_RECENT, len(hashes) // 4):
            hashes = np.concatenate([hashes, _hashes(list(recent))])
            positions = np.concatenate([positions, np.fromiter(recent.values(), np.int32, len(recent))])
            order = np.argsort(hashes, kind="stable")
            self._index = hashes[order], positions[order], {}


def _hashes(ids: Sequence[str]) -> npt.NDArray[np.int64]:
    return np.fromiter(map(hash, ids), np.int64, len(ids))
