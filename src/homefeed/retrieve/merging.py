"""The union of what several retrievers propose, their scores side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from homefeed.kernels import F32, I32, I64, NOTHING, kernel, reads, several, writes
from homefeed.types import NO_POSITIONS, Codes, Floats, Positions, Scores

_SPARES: Final = 64
"""How many more candidates than requested are retrieved, as spares for rerankers and the final filter."""


def depth_of(n: int) -> int:
    """How many each retriever is asked for at least: of one depth for pages of like length.

    An item scores by who proposed it, so a page begins with a shorter one only if both were looked for as deep.
    """
    return 1 << (n + _SPARES - 1).bit_length()


def merged(
    names: tuple[str, ...],
    proposals: Mapping[str, tuple[Positions, Scores]],
    size: int,
    also: Positions = NO_POSITIONS,
) -> tuple[Positions, Floats, Codes]:
    """All that the retrievers `names` propose in a catalogue of `size` items, and the positions `also`.

    (n,) rising positions, each once, (n, retrievers) their scores, NaN where a retriever does not propose one, and
    (n, retrievers) their ranks, from 1 for the first that a retriever proposes, 0 where it does not.

    Raises:
        ValueError: something is wrong with a proposal; `what_is_wrong` says what.
    """
    nothing = (np.empty(0, np.int32), np.empty(0, np.float32))
    found = [proposals.get(name, nothing) for name in names]
    every = np.concatenate([positions for positions, _ in found], dtype=np.int32, casting="same_kind")
    scores = np.concatenate([scores for _, scores in found], dtype=np.float32, casting="same_kind")
    rising = np.sort(every)
    # Compiled loops index by positions: nothing outside the catalogue gets there.
    if len(every) != len(scores) or (len(every) and not 0 <= rising[0] <= rising[-1] < size):
        raise ValueError(f"proposals for a catalogue of {size} items are not sound")
    union = _side_by_side(rising, every, scores, np.array([len(p) for p, _ in found]), size)
    return _widened(*union, also) if len(also) else union


def _widened(
    positions: Positions, scores: Floats, ranks: Codes, also: Positions
) -> tuple[Positions, Floats, Codes]:
    """What is `merged` with further positions, which nobody proposed where they are not among them."""
    every = np.union1d(positions, also).astype(np.int32)
    rows = np.searchsorted(every, positions)
    table = np.full((len(every), scores.shape[1]), np.nan, np.float32)
    places = np.zeros(table.shape, np.int32)
    table[rows], places[rows] = scores, ranks
    return every, table, places


def what_is_wrong(positions: Positions, scores: Scores, size: int) -> str | None:
    """What is wrong with one proposal, None where nothing is."""
    if len(positions) != len(scores):
        return f"ValueError: proposed {len(positions)} items with {len(scores)} scores"
    if len(positions) and not 0 <= positions.min() <= positions.max() < size:
        return f"ValueError: proposed a position outside the catalogue of {size} items"
    return None


@kernel(several(writes(I32), writes(F32, 2), writes(I32, 2)), reads(I32), reads(I32), reads(F32), reads(I64), I64)
def _side_by_side(
    rising: Positions, every: Positions, scores: Scores, lengths: npt.NDArray[np.intp], size: int
) -> tuple[Positions, Floats, Codes]:
    distinct, rows, count = np.empty(len(rising), np.int32), np.empty(size, np.int32), 0
    for place in range(len(rising)):
        if place == 0 or rising[place] != rising[place - 1]:
            distinct[count] = rising[place]
            rows[rising[place]] = count
            count += 1
    table, place = np.full((count, len(lengths)), np.nan, np.float32), 0
    ranks = np.zeros((count, len(lengths)), np.int32)
    for column in range(len(lengths)):
        for rank in range(lengths[column]):
            row = rows[every[place]]
            if ranks[row, column] == 0:  # of an item that is proposed twice the first counts
                table[row, column], ranks[row, column] = scores[place], rank + 1
            place += 1
    return distinct[:count], table, ranks


@kernel(NOTHING, reads(F32, 2), writes(F32, 2))
def normalise(scores: Floats, features: Floats) -> None:
    """Write (n, retrievers) scores divided by the best of each retriever, 0 where it proposed nothing."""
    height, width = scores.shape
    for column in range(width):
        best = np.float32(0)
        for row in range(height):
            best = max(best, scores[row, column])
        if best <= 0:
            best = np.float32(1)
        for row in range(height):
            score = scores[row, column]
            features[row, column] = np.float32(0) if np.isnan(score) else score / best
