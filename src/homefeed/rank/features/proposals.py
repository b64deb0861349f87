"""What each retriever said of a candidate, as it said it, and how many agree."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.kernels import F32, I64, kernel, reads, writes
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Floats, Query

Columns: TypeAlias = npt.NDArray[np.int64]


class Proposals:
    """For each of the retrievers its score of the item, `NAME_score`, over the best of the request, and the
    reciprocal of its rank, `NAME_rank`: 1 for its first, both 0 for what it did not propose. `proposed_by` is the
    share of them that did.

    Beside the feature that has a retriever's own name, which is calibrated evidence, a learned ranker can find
    out for itself what a score or a rank is worth together with all else.
    """

    class Config(PartConfig):
        of: Annotated[tuple[str, ...], Field(min_length=1)]
        """The names of the feed's retrievers."""

    def __init__(self, config: Config, resources: Resources) -> None:  # noqa: ARG002
        self._of = config.of
        names = (f"{name}_{what}" for name in config.of for what in ("score", "rank"))
        self.names = (*names, "proposed_by")

    def extract(self, query: Query, candidates: Candidates) -> Floats:  # noqa: ARG002
        """(n, 2 x retrievers + 1) from 0 to 1."""
        at = [candidates.retrievers.index(name) if name in candidates.retrievers else -1 for name in self._of]
        # Where scores are equal, the first by position is the first: that is how candidates come.
        order = np.argsort(candidates.positions, kind="stable")
        return _proposed(candidates.retriever_scores, np.array(at, np.int64), order)


@kernel(writes(F32, 2), reads(F32, 2), reads(I64), reads(I64))
def _proposed(scores: Floats, columns: Columns, order: Columns) -> Floats:
    """The features of retrievers in columns of (n, retrievers), -1 of one that is not there."""
    features = np.zeros((len(scores), 2 * len(columns) + 1), np.float32)
    rows, keys = np.empty(len(scores), np.int64), np.empty(len(scores), np.float32)
    for number, column in enumerate(columns):
        count = 0
        for row in order:
            if column >= 0 and not np.isnan(scores[row, column]):
                rows[count], keys[count] = row, -scores[row, column]
                count += 1
        best_first = np.argsort(keys[:count], kind="mergesort")
        for place, found in enumerate(best_first):
            row = rows[found]
            features[row, -1] += 1
            features[row, 2 * number] = scores[row, column] / max(np.float64(-keys[best_first[0]]), 1e-9)
            features[row, 2 * number + 1] = 1 / (place + 1)
    features[:, -1] /= len(columns)
    return features
