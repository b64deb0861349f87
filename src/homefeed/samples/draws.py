"""Random draws and units of time that all generators share."""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.types import Codes

Rng: TypeAlias = np.random.Generator
Rows: TypeAlias = npt.NDArray[np.intp]
Weights: TypeAlias = npt.NDArray[np.float64]

HOUR: Final = 3_600
DAY: Final = 86_400


def choose(weights: npt.ArrayLike, count: int, rng: Rng) -> Codes:
    """(count,) rows, each drawn by its weight."""
    reach = np.cumsum(weights)
    chosen: Codes = np.searchsorted(reach, rng.random(count) * reach[-1], side="right").astype(np.int32)
    return chosen
