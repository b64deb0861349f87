"""The union of what several retrievers propose, their scores side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from numba import njit

from homefeed.types import Candidates, Floats, Positions, Scores


def merged(names: tuple[str, ...], proposals: Mapping[str, tuple[Positions, Scores]], size: int) -> Candidates:
    """All that the retrievers `names` propose in a catalogue of `size` items, each item once, by position."""
    found = [proposals.get(name) for name in names]
    lengths = [0 if each is None else len(each[0]) for each in found]
    if not any(lengths):
        positions, scores = np.empty(0, np.int32), np.empty((0, len(names)), np.float32)
    else:
        every = np.concatenate([each[0] for each in found if each is not None])
        of_every = np.concatenate([each[1] for each in found if each is not None])
        columns = np.repeat(np.arange(len(names)), lengths)
        positions, scores = _side_by_side(every, of_every, columns, len(names), size)
    empty = np.empty((len(positions), 0), np.float32)
    return Candidates(positions, names, scores, (), empty, np.zeros(len(positions), np.float32))


def normalised(retriever_scores: Floats) -> Floats:
    """(n, retrievers) each score divided by the best of its retriever; 0 where it proposed nothing."""
    return _normalised(retriever_scores)


@njit(cache=True)
def _side_by_side(
    positions: Positions, scores: Scores, columns: npt.NDArray[np.intp], width: int, size: int
) -> tuple[Positions, Floats]:
    """The distinct positions, rising, and (n, width) the score of each by column, NaN where there is none."""
    seen = np.zeros(size, np.bool_)
    count = 0
    for position in positions:
        if not seen[position]:
            seen[position] = True
            count += 1
    distinct = np.empty(count, np.int32)
    count = 0
    for position in positions:
        if seen[position]:
            seen[position] = False
            distinct[count] = position
            count += 1
    distinct.sort()
    table = np.full((count, width), np.nan, np.float32)
    rows = np.searchsorted(distinct, positions)
    for place in range(len(positions)):
        table[rows[place], columns[place]] = scores[place]
    return distinct, table


@njit(cache=True)
def _normalised(scores: Floats) -> Floats:
    height, width = scores.shape
    features = np.zeros((height, width), np.float32)
    for column in range(width):
        best = np.float32(0)
        for row in range(height):
            best = max(best, scores[row, column])
        if best <= 0:
            best = np.float32(1)
        for row in range(height):
            if not np.isnan(scores[row, column]):
                features[row, column] = scores[row, column] / best
    return features
