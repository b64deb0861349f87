"""Numbers that items come with, as counts."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

_MOST: Final = 1e15
"""A count beyond it is not one, and sums of such would leave a float's range."""


def as_counts(numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(n,) numbers of a column as counts of something: whole, 0 for NaN and what is below 0."""
    return np.floor(np.fmin(np.fmax(numbers, 0.0), _MOST))
