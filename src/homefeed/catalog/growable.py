"""A numpy array that can be appended to, by doubling."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

T = TypeVar("T", bound=np.generic)


class Growable(Generic[T]):
    """A column of one dtype whose `view` is a plain array of its current length; its rows may have a `shape`."""

    def __init__(self, dtype: type[T], fill: Any, shape: tuple[int, ...] = ()) -> None:
        self._dtype = dtype
        self._fill = fill
        self._shape = shape
        self._array: npt.NDArray[T] = np.full((1024, *shape), fill, dtype)
        self._size = 0

    @property
    def view(self) -> npt.NDArray[T]:
        """The column: shares memory, so later writes show."""
        return self._array[: self._size]

    def first(self, size: int) -> npt.NDArray[T]:
        """(size,) the first rows, the fill value where nothing was written; shares memory as `view` does."""
        # Threads beside the requests read, too: a length that they wrote could undo that of a newer row.
        if size > len(self._array):
            self.grow(size)
        return self._array[:size]

    def __len__(self) -> int:
        return self._size

    def grow(self, size: int) -> None:
        """Lengthen to `size`, new rows holding the fill value."""
        if size > len(self._array):
            longer = np.full((max(size, 2 * len(self._array)), *self._shape), self._fill, self._dtype)
            longer[: self._size] = self._array[: self._size]
            self._array = longer
        self._size = max(self._size, size)

    def set(self, row: int, value: Any) -> None:
        """Write one row, lengthening as needed."""
        self.grow(row + 1)
        self._array[row] = value

    def set_many(self, rows: npt.NDArray[np.integer[Any]], values: Any) -> None:
        """Write rows (n,), each with its own of values (n,), or all with one value; lengthening as needed."""
        self.grow(int(rows.max(initial=-1)) + 1)
        self._array[rows] = values
