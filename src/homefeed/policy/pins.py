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

    Without a retriever of that name it does nothing. Rerankers after it may move pins again.
    """

    class Config(PartConfig):
        """`retriever` is the name of one of the feed's retrievers, `max_pins` how many of its items are moved."""

        retriever: str = "pinned"
        max_pins: Annotated[int, Field(ge=1)] = 2

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
