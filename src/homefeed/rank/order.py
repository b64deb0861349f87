"""The order of what is ranked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from homefeed.types import Positions, Scores


def best_first(scores: Scores, positions: Positions) -> npt.NDArray[np.intp]:
    """(n,) rows by falling score.

    Where scores are equal, as among items that nobody played, the newest of the catalogue come first.
    """
    return np.lexsort((-positions, -scores))
