"""Not all of a kind: what is like what was placed already stands back a little."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import CatalogView, Resources
from homefeed.catalog.columns import CategoryColumn, TagsColumn
from homefeed.policy.kernels import marginal_rows
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Codes, Floats, Positions, Query, Scores


class Diversity:
    """Maximal marginal relevance: an item moves down where it is similar to one that is placed above it.

    Each place goes to the candidate with the highest

        balance * relevance - (1 - balance) * (similarity to the most similar one placed already)

    (Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering Documents and Producing
    Summaries", SIGIR 1998). Relevance is the score, scaled to 0 to 1 over the candidates considered; similarity
    the cosine of what two items have in common in `fields`. The first stays the first; nothing is dropped.
    """

    class Config(PartConfig):
        fields: Annotated[tuple[str, ...], Field(min_length=1)] = ("tags",)
        """Tags or category fields that say how similar two items are, all with the same weight."""
        balance: Annotated[float, Field(ge=0, le=1)] = 0.8
        """How much relevance counts against variety: 1 for relevance alone, 0 for variety alone."""
        depth: Annotated[int, Field(ge=1, le=1000)] = 60
        """How many of the first candidates are reordered. Those after them keep their places."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._catalog = resources.catalog
        self._columns = [_column(resources.catalog, field) for field in config.fields]

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:  # noqa: ARG002
        """In another order."""
        depth = min(self._config.depth, len(candidates))
        if depth < 3:
            return candidates
        values, scaled = self._values(candidates.positions[:depth]), _scaled(candidates.scores[:depth])
        order = marginal_rows(scaled, values, self._config.balance)
        return candidates.take(np.concatenate([order, np.arange(depth, len(candidates))]))

    def _values(self, positions: Positions) -> Codes:
        """(n, width) the values of all fields, those of different fields apart; below 0 where there are none."""
        size, count = self._catalog.size, len(self._columns)
        tables = [
            column.codes(size).take(positions, axis=0).reshape(len(positions), -1) for column in self._columns
        ]
        if count == 1:
            return tables[0]
        return np.concatenate([table * count + field for field, table in enumerate(tables)], axis=1)


def _column(catalog: CatalogView, field: str) -> CategoryColumn | TagsColumn:
    if catalog.fields.get(field) == "category":
        return catalog.column(field, CategoryColumn)
    return catalog.column(field, TagsColumn)


def _scaled(scores: Scores) -> Floats:
    """To 0 to 1; all 0 where they are equal."""
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.zeros_like(scores)
