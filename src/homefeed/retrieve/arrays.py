"""Models that are made of arrays: how they are stored, and which of their rows is which item of a catalogue."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

import numpy as np
import numpy.typing as npt
import orjson

from homefeed.kernels import compiled
from homefeed.types import Positions

Rows: TypeAlias = npt.NDArray[np.int32]
Starts: TypeAlias = npt.NDArray[np.int64]
Bits: TypeAlias = npt.NDArray[np.uint64]
Doubles: TypeAlias = npt.NDArray[np.float64]

_MANIFEST: Final = "model.json"


@dataclass(frozen=True, slots=True)
class ArrayModel:
    """Base of models whose fields are arrays, or else what JSON holds."""

    def save(self, folder: Path) -> None:
        """Write to an empty folder, an array a file, so that processes share them by memory mapping."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        rest = {name: value for name, value in values.items() if name not in arrays}
        (folder / _MANIFEST).write_bytes(orjson.dumps({"arrays": list(arrays), "values": rest}))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map what `save` wrote."""
        manifest = orjson.loads((folder / _MANIFEST).read_bytes())
        arrays: dict[str, Any] = {
            name: np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
            for name in (field.name for field in fields(cls) if field.name in manifest["arrays"])
        }
        return cls(**arrays, **manifest["values"])


class RowIndex:
    """Which row of a model is the item at each position of a catalogue.

    `rows` (size + 1,) holds -1 where there is none; its last entry is that of all positions which came since: the
    catalogue of a request may be newer than the model, never older.
    """

    def __init__(self, positions: Positions, size: int) -> None:
        """`positions` (rows,) are where the rows' items are in a catalogue of `size`, -1 where they are not."""
        self.rows: Rows = np.full(size + 1, -1, np.int32)
        here = np.flatnonzero(positions >= 0)
        self.rows[positions[here]] = here

    def at(self, positions: npt.NDArray[np.integer[Any]]) -> Rows:
        """(n,) the rows of items at positions; -1 for those without one, and for position -1."""
        rows: Rows = self.rows[np.minimum(positions, len(self.rows) - 1)]
        return rows


@compiled
def marked(rows: Rows) -> Bits:
    """A set of rows, or positions, as bits; -1 is none."""
    bits = np.zeros((max(rows.max(), 0) >> 6) + 1 if len(rows) else 1, np.uint64)
    for row in rows:
        if row >= 0:
            bits[row >> 6] |= np.uint64(1) << np.uint64(row & 63)
    return bits


@compiled
def is_marked(row: int, bits: Bits) -> bool:
    """Whether a row, or a position, is in a set."""
    word = row >> 6
    return word < len(bits) and (bits[word] >> np.uint64(row & 63)) & np.uint64(1) != 0


class _Slots:
    """Arrays of zeros that requests use one after the other: what is taken is given back as zeros."""

    def __init__(self) -> None:
        self._free: list[Rows] = []

    def take(self, size: int) -> Rows:
        """One of at least that length."""
        while self._free:
            slots = self._free.pop()
            if len(slots) >= size:
                return slots
        return np.zeros(size, np.int32)

    def give(self, slots: Rows) -> None:
        """Take one back."""
        self._free.append(slots)


SLOTS: Final = _Slots()
