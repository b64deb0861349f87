"""Lexical search: items by the words of the query."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from homefeed.catalog import Resources
from homefeed.retrieve.search.engine import SearchConfig, engine_of, text_of
from homefeed.retrieve.search.prior import Prior, PriorConfig
from homefeed.retrieve.selection import top_k
from homefeed.types import NO_POSITIONS, Positions, Query, Scores


class Search:
    """What matches the request's `query` by its words: BM25 over several fields, with synonyms, misspellings and
    beginnings of words. A request without a query finds nothing.

    See `understood` for what a query means.
    """

    class Config(SearchConfig):
        prior: PriorConfig | None = None
        """What counts whatever is searched: ratings and events of items; none: words alone."""
        reason: str = 'Matches "{match}"'
        """The reason; {match} is what of the query the item has."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where the fields or the table of synonyms cannot be used."""
        self._config = config
        self._engine = engine_of(config, resources)
        self._prior = None if config.prior is None else Prior(config.prior, resources)

    def refresh(self) -> None:
        """Take over the items that came or changed."""
        self._engine.refresh()

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items that match best."""
        text = text_of(query)
        if not text:
            return NO_POSITIONS, np.empty(0, np.float32)
        # The catalogue may have items that the index does not know yet.
        scores = self._engine.find(text, self._engine.partition(query)).scores
        scores = scores * query.eligible[: len(scores)]
        if self._prior is not None:
            matching = np.flatnonzero(scores).astype(np.int32)
            scores[matching] *= self._prior.gains(matching)
        best = top_k(scores, k)
        return best.astype(np.int32), scores[best]

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """What of the query each item has."""
        text = text_of(query)
        if not text:
            return [None] * len(positions)
        partition = self._engine.partition(query)
        found = self._engine.find(text, partition)
        return [
            self._config.reason.format(match=match) if match else None
            for match in self._engine.matches(found, positions, partition)
        ]
