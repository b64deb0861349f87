"""What a retriever's score and rank say of an item, on one scale for all retrievers of a feed: evidence.

A retriever's own scores are on a scale of its own, and a flat list would swamp a steep one if they were added as
they are. Calibrated, each is the log-odds that the user chooses the item next, over those of any candidate: these
can be added, as in a naive Bayes classifier (Maron, "Automatic Indexing: An Experimental Inquiry", JACM 8(3),
1961).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Final

import numpy as np

from homefeed.kernels import F32, F64, I32, NOTHING, compiled, kernel, reads, writes
from homefeed.rank.kernels import Doubles
from homefeed.types import Codes, Floats

LEAST_SCORE: Final = 1e-9
"""What a lower score counts as: of 0 and less there is no logarithm."""
_BELOW: Final = 0.01
"""The evidence of a candidate as likely to be chosen as any other; of one less likely it is a part of this."""
_FAR_BELOW: Final = -50.0
"""Log-odds below which evidence falls more slowly than their exponential, which 32 bits would round to 0."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The log-odds that a retriever's candidate of a score s and a rank r from 1 is chosen, over any candidate's.

    intercept + log_score x ln s + log_rank x ln r + log_rank_squared x (ln r)^2: a logistic regression (Platt,
    "Probabilistic Outputs for Support Vector Machines", 1999) on the logarithms of both. What is known of scores
    and ranks ends where those ended that it was fitted to: ln s below `least_log_score` counts as that, ln r
    above `most_log_rank` likewise.
    """

    intercept: float
    log_score: float
    log_rank: float
    log_rank_squared: float
    least_log_score: float = -30.0
    most_log_rank: float = 30.0


def calibration_table(names: Sequence[str], calibrations: Mapping[str, Calibration]) -> Doubles:
    """The calibrations as rows (retrievers, 6), in the order of the names."""
    rows = [astuple(calibrations[name]) for name in names]
    return np.array(rows, np.float64).reshape(-1, 6)


@kernel(NOTHING, reads(F32, 2), reads(I32, 2), reads(F64, 2), writes(F32, 2))
def weigh_evidence(scores: Floats, ranks: Codes, table: Doubles, features: Floats) -> None:
    """Write the evidence of (n, retrievers) scores and ranks by a calibration table, 0 where one has none."""
    height, width = scores.shape
    for row in range(height):
        for column in range(width):
            if not np.isfinite(scores[row, column]):
                features[row, column] = 0
                continue
            score = max(np.log(max(np.float64(scores[row, column]), LEAST_SCORE)), table[column, 4])
            rank = min(np.log(np.float64(ranks[row, column])), table[column, 5])
            odds = table[column, 0] + table[column, 1] * score
            odds += table[column, 2] * rank + table[column, 3] * rank * rank
            features[row, column] = _evidence(odds)


@compiled
def _evidence(odds: float) -> np.float32:
    """The log-odds where they are above 0, else next to nothing: rising all the way, to keep ranks apart."""
    if odds > 0:
        return np.float32(odds + _BELOW)
    far = max(_FAR_BELOW - odds, 0.0)
    return np.float32(_BELOW * np.exp(odds + far) / (1 + far))
