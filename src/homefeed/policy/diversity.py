"""Not all of a kind: what is like what was placed already stands back a little."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import CatalogView, Resources
from homefeed.catalog.columns import CategoryColumn, TagsColumn
from homefeed.policy.kernels import Rows, marginal_rows
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
        self._columns = [column_of(resources.catalog, field) for field in config.fields]

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:  # noqa: ARG002
        """In another order."""
        depth = min(self._config.depth, len(candidates))
        if depth < 3:
            return candidates
        (values, ends), scaled = self._values(candidates.positions[:depth]), _scaled(candidates.scores[:depth])
        order = marginal_rows(scaled, values, ends, self._config.balance)
        return candidates.take(np.concatenate([order, np.arange(depth, len(candidates))]))

    def _values(self, positions: Positions) -> tuple[Codes, Rows]:
        """The values of each item in all fields, item after item, and (n,) where those of each end."""
        size, count = self._catalog.size, len(self._columns)
        fields = [_rows(column, size, positions) for column in self._columns]
        if count == 1:
            values, lengths = fields[0]
            return values, lengths.cumsum()
        # Those of different fields are apart.
        values = np.concatenate([of * count + field for field, (of, _) in enumerate(fields)])
        rows = np.concatenate([np.repeat(np.arange(len(positions)), lengths) for _, lengths in fields])
        return values[np.argsort(rows, kind="stable")], np.sum([lengths for _, lengths in fields], axis=0).cumsum()


def _rows(column: CategoryColumn | TagsColumn, size: int, positions: Positions) -> tuple[Codes, Rows]:
    """The values of a field of some items, item after item, and (n,) how many each has."""
    if isinstance(column, TagsColumn):
        return column.codes(size).take(positions)
    codes = column.codes(size)[positions]
    return codes[codes >= 0], (codes >= 0).astype(np.int64)


def column_of(catalog: CatalogView, field: str) -> CategoryColumn | TagsColumn:
    """A category or tags field of items; RecipeError where it is neither."""
    if catalog.fields.get(field) == "category":
        return catalog.column(field, CategoryColumn)
    return catalog.column(field, TagsColumn)


def _scaled(scores: Scores) -> Floats:
    """To 0 to 1; all 0 where they are equal."""
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.zeros_like(scores)
