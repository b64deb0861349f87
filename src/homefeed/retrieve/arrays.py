"""Models that are made of arrays: how they are stored, and which of their rows is which item of a catalogue."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Final, Self, TypeAlias, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt
import orjson

from homefeed.kernels import compiled
from homefeed.model_files import mapped, read_values
from homefeed.types import Positions

Rows: TypeAlias = npt.NDArray[np.int32]
Starts: TypeAlias = npt.NDArray[np.int64]
Bits: TypeAlias = npt.NDArray[np.uint64]
Doubles: TypeAlias = npt.NDArray[np.float64]

_VALUES: Final = "model.json"


@dataclass(frozen=True, slots=True)
class ArrayModel:
    """Base of models whose fields are arrays, or else what JSON holds.

    A field with a default, which has to be empty, is in the files only where it is not.
    """

    def save(self, folder: Path) -> None:
        """Write to an empty folder, an array a file, which is mapped when it is read."""
        optional = _optional(type(self))
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values = {name: value for name, value in values.items() if name not in optional or not _is_empty(value)}
        arrays = {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array, allow_pickle=False)
        rest = {name: value for name, value in values.items() if name not in arrays}
        (folder / _VALUES).write_bytes(orjson.dumps(rest))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map what `save` wrote, after a look at all of it.

        Raises:
            ArtifactError: it is not what the fields say, or `check` refuses it.
        """
        # Mapped twice: the pages that the look touched are the server's no longer.
        cls._mapped(folder).check()
        return cls._mapped(folder)

    def check(self) -> None:
        """Refuse arrays that do not fit one another, or hold what would fail a request; for those who override it.

        Raises:
            ArtifactError: naming what is wrong.
        """

    @classmethod
    def _mapped(cls, folder: Path) -> Self:
        types = {field.name: get_type_hints(cls)[field.name] for field in fields(cls)}
        dtypes = {name: _dtype_of(annotation) for name, annotation in types.items()}
        optional = _optional(cls)
        rest = {name: types[name] for name in types if dtypes[name] is None}
        values = read_values(folder / _VALUES, rest, optional)
        arrays = {
            name: mapped(file, dtype)
            for name, dtype in dtypes.items()
            if dtype is not None and ((file := folder / f"{name}.npy").exists() or name not in optional)
        }
        return cls(**arrays, **values)


def _optional(kind: type[ArrayModel]) -> frozenset[str]:
    """The fields with a default."""
    required = {field.name for field in fields(kind) if field.default is field.default_factory is MISSING}
    return frozenset({field.name for field in fields(kind)} - required)


def _is_empty(value: Any) -> bool:
    return not (value.size if isinstance(value, np.ndarray) else value)


def _dtype_of(annotation: Any) -> np.dtype[Any] | None:
    """Of what an array of that annotation is; None where it is none of an array."""
    if get_origin(annotation) is not np.ndarray:
        return None
    dtype: np.dtype[Any] = np.dtype(get_args(get_args(annotation)[1])[0])
    return dtype


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
