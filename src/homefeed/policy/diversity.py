"""Not all of a kind: what is like what was placed already stands back a little."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import CatalogView, Resources
from homefeed.catalog.columns import CategoryColumn, TagsColumn
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
        similarities = self._similarities(candidates.positions[:depth])
        order = marginal_order(_scaled(candidates.scores[:depth]), similarities, self._config.balance)
        return candidates.take(np.array([*order, *range(depth, len(candidates))], np.intp))

    def _similarities(self, positions: Positions) -> Floats:
        """(n, n) cosines of the rows of ones for each value of each field; 0 for items without any."""
        size = self._catalog.size
        rows = np.concatenate([_multi_hot(column.codes(size)[positions]) for column in self._columns], axis=1)
        rows /= np.sqrt(np.maximum(rows.sum(axis=1, keepdims=True), 1))
        cosines: Floats = rows @ rows.T
        return cosines


def marginal_order(relevances: Floats, similarities: Floats, balance: float) -> list[int]:
    """(n,) rows by maximal marginal relevance, row 0 first; ties by row. Similarities are (n, n), 0 to 1."""
    gains = balance * relevances.astype(np.float64)
    losses = (1 - balance) * similarities.astype(np.float64)
    loss, order = losses[0].copy(), [0]
    gains[0] = -np.inf
    for _ in range(len(gains) - 1):
        row = int((gains - loss).argmax())
        order.append(row)
        gains[row] = -np.inf
        np.maximum(loss, losses[row], out=loss)
    return order


def _column(catalog: CatalogView, field: str) -> CategoryColumn | TagsColumn:
    if catalog.fields.get(field) == "category":
        return catalog.column(field, CategoryColumn)
    return catalog.column(field, TagsColumn)


def _scaled(scores: Scores) -> Floats:
    """To 0 to 1; all 0 where they are equal."""
    low, high = scores.min(), scores.max()
    return (scores - low) / (high - low) if high > low else np.zeros_like(scores)


def _multi_hot(codes: Codes) -> Floats:
    """(n, values) 1 where a row of `codes`, (n,) or (n, width), has the value; codes below 0 are none."""
    table = codes.reshape(len(codes), -1)
    values, which = np.unique(table, return_inverse=True)
    hot = np.zeros((len(table), len(values)), np.float32)
    hot[np.arange(len(table))[:, None], which.reshape(table.shape)] = 1
    return hot[:, values >= 0]
