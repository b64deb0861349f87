"""The order of what is ranked."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from homefeed.types import NO_TIME, Candidates, Positions, Query, Scores


def best_first(scores: Scores, positions: Positions) -> npt.NDArray[np.intp]:
    """(n,) rows by falling score.

    Where scores are equal, as among items that nobody played, the newest of the catalogue come first.
    """
    return np.lexsort((-positions, -scores))


def longest_ago_first(query: Query, candidates: Candidates) -> Candidates:
    """In the order in which the user last did something to them; of equals the better ranked first."""
    history = query.user.ever
    latest = np.full(len(query.eligible), NO_TIME, np.int64)
    np.maximum.at(latest, history.items, history.times)
    return candidates.take(np.argsort(latest[candidates.positions], kind="stable"))
