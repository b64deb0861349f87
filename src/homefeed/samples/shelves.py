"""The items available at a time, by appeal. Times are whole seconds since 1970-01-01 UTC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from homefeed.types import Codes, Times


@dataclass(frozen=True)
class Shelves:
    """Items by shelf and, on a shelf, by arrival, so the items available at a time are a range."""

    item: Codes
    key: Times
    mass: npt.NDArray[np.float64]  # summed appeal before each entry
    begin: int
    span: int

    @classmethod
    def build(
        cls, shelf: Codes, item: Codes, appeal: npt.NDArray[np.float64], arrival: Times, window: tuple[int, int]
    ) -> Self:
        """Each item, with its appeal, on its shelf."""
        begin, end = window
        key = shelf.astype(np.int64) * (end - begin + 1) + np.maximum(arrival - begin, 0)
        order = np.argsort(key, kind="stable")
        mass = np.concatenate(([0.0], np.cumsum(appeal[order])))
        return cls(item[order], key[order], mass, begin, end - begin + 1)

    def draw(self, shelf: Codes, moment: Times, roll: npt.NDArray[np.float64]) -> Codes:
        """(shelves, picks) items of each shelf by appeal, of those available at the time; -1 where there is none.

        `roll` (shelves, picks) is in [0, 1): the higher, the later the item arrived.
        """
        bottom = shelf.astype(np.int64) * self.span
        first = np.searchsorted(self.key, bottom)[:, None]
        last = np.searchsorted(self.key, bottom + (moment - self.begin), side="right")[:, None]
        target = self.mass[first] + roll * (self.mass[last] - self.mass[first])
        entry = np.searchsorted(self.mass, target, side="right") - 1
        entry = np.minimum(np.clip(entry, first, np.maximum(last - 1, first)), len(self.item) - 1)
        return np.where(last > first, self.item[entry], np.int32(-1))
