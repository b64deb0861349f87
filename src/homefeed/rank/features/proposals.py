"""What each retriever said of a candidate, as it said it, and how many agree."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Floats, Query


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
        features = np.zeros((len(candidates), len(self.names)), np.float32)
        for number, name in enumerate(self._of):
            if name not in candidates.retrievers:
                continue
            scores = candidates.retriever_scores[:, candidates.retrievers.index(name)]
            rows = np.flatnonzero(~np.isnan(scores))
            if not len(rows):
                continue
            best_first = rows[np.lexsort((candidates.positions[rows], -scores[rows]))]
            features[:, -1] += ~np.isnan(scores)
            features[rows, 2 * number] = scores[rows] / max(float(scores[best_first[0]]), 1e-9)
            features[best_first, 2 * number + 1] = 1 / np.arange(1, len(rows) + 1)
        features[:, -1] /= len(self._of)
        return features
