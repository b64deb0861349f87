"""The item-item model: for each item, its most similar items."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field

from homefeed.protocols import PartConfig
from homefeed.types import Floats, Numbers


class ItemItemConfig(PartConfig):
    """How similarity is measured; see `ItemItemTrainer` for the formula.

    Items that fewer than `least_users` users share have none: with 2, it never rests on one user alone.
    """

    neighbours: Annotated[int, Field(ge=1, le=2_000)] = 200
    user_exponent: Annotated[float, Field(ge=0, le=1)] = 0.7
    item_exponent: Annotated[float, Field(ge=0, le=1)] = 0.5
    power: Annotated[float, Field(gt=0, le=2)] = 0.7
    shrinkage: Annotated[float, Field(ge=0)] = 1.0
    items_per_user: Annotated[int, Field(ge=2)] = 500
    least_users: Annotated[int, Field(ge=1)] = 1


@dataclass(frozen=True, slots=True)
class ItemItemModel:
    """Neighbour lists as a sparse matrix in CSR form.

    Row r is the item of permanent number `numbers[r]`; its neighbours are the rows
    `indices[indptr[r]:indptr[r + 1]]`, with similarities `weights` above 0.
    """

    Config = ItemItemConfig

    numbers: Numbers
    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int32]
    weights: Floats

    def save(self, folder: Path) -> None:
        """Write to an empty folder, an array a file, so that processes share them by memory mapping."""
        for name in ("numbers", "indptr", "indices", "weights"):
            np.save(folder / f"{name}.npy", getattr(self, name), allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map what `save` wrote."""
        return cls(
            *(
                np.asarray(np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False))
                for name in ("numbers", "indptr", "indices", "weights")
            )
        )
