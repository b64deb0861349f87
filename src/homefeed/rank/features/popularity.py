"""How much an item has been met with, beside the others of the request."""

from __future__ import annotations

import numpy as np

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Floats, Query


class Popularity:
    """ln(1 + events) / ln(1 + the most events among the candidates), from 0 to 1; 0 where none has any. Of each
    user one event counts, unless the recipe's `signals.count` says otherwise. Unlike the score of the retriever
    `popular`, every candidate has it, whichever retriever proposed it.
    """

    class Config(PartConfig):
        """Nothing to set."""

    names = ("popularity",)

    def __init__(self, config: Config, resources: Resources) -> None:  # noqa: ARG002
        self._counters = resources.counters

    def extract(self, query: Query, candidates: Candidates) -> Floats:  # noqa: ARG002
        """(n, 1) by the live counters."""
        events = np.log1p(self._counters.events[candidates.positions])
        most = events.max(initial=0)
        return (events / (most or 1)).astype(np.float32)[:, None]
