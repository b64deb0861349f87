"""What an editor put first comes first."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Query


class Pins:
    """Moves what a retriever proposed to the first places of the first page, best by that retriever first.
    A reranker after it can move pins again.
    """

    class Config(PartConfig):
        retriever: str = "pinned"
        """The name, in the feed, of the retriever that proposes pins. Without it there are no pins."""
        max_pins: Annotated[int, Field(ge=1)] = 2
        """How many items are moved."""

    def __init__(self, config: Config, resources: Resources) -> None:  # noqa: ARG002
        self._config = config

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        """Pins, then the others in their order."""
        if len(query.recently_shown) or self._config.retriever not in candidates.retrievers:
            return candidates
        scores = candidates.retriever_scores[:, candidates.retrievers.index(self._config.retriever)]
        pinned = np.flatnonzero(~np.isnan(scores))
        if not len(pinned):
            return candidates
        first = pinned[np.argsort(-scores[pinned], kind="stable")[: self._config.max_pins]]
        others = np.delete(np.arange(len(candidates)), first)
        return candidates.promoted(first, self._config.retriever).take(np.concatenate([first, others]))
