"""Serves models that fold users in: a user's vector is made of their latest events at the request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from homefeed.catalog import Resources
from homefeed.protocols import FoldInModel
from homefeed.retrieve.arrays import RowIndex
from homefeed.retrieve.cells import CellIndex, CellModel, Cells
from homefeed.retrieve.contributions import Grounds
from homefeed.retrieve.factors import Factors
from homefeed.retrieve.history import HistoryConfig, seeds_of
from homefeed.retrieve.sentences import HistorySentences
from homefeed.retrieve.vectors import NEGLIGIBLE, added_by_parts
from homefeed.types import NO_POSITIONS, Floats, Positions, Query, Scores


class FoldedConfig(HistoryConfig):
    """Base of the `Config` of retrievers that fold users in."""

    model: str
    """The model of the recipe that it serves."""
    reason: str = "Because you chose {title}"
    """The reason; {title} is the item of the history that added most, {verb} what the user did to it."""
    reason_anchored: str = "For people who chose {title}"
    """The reason in a feed about an item; {title} is that item. Vectors can be alike although no user chose
    both: it should not say that some did."""


@dataclass(frozen=True, slots=True)
class _Taste:
    """The items of a taste that have a vector, what each adds to the user's (factors, items), and the user's."""

    items: Positions
    shares: Floats
    vector: Floats


class FoldedIn:
    """Proposes the items whose vectors have the largest inner products with the user's, above 0.

    Exact, and in time proportional to the items whose vectors are long enough to matter: see `Factors`. Models of
    `exact_below` items or more are searched by cells: see `CellIndex`.
    """

    def __init__(self, config: FoldedConfig, resources: Resources, model: FoldInModel | None) -> None:
        self._config, self._sentences = config, HistorySentences(config, resources)
        self._partitions = resources.partitions
        self._model = model
        if model is None:
            return
        now = resources.catalog.snapshot
        positions = now.positions(model.numbers)
        self._rows = RowIndex(positions, now.size)
        cells = model.cells if isinstance(model, CellModel) else Cells()
        self._factors: Factors | CellIndex = (
            CellIndex(model.vectors, positions, cells) if cells else Factors(model.vectors, positions)
        )

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items that the user is likeliest to prefer."""
        if self._model is None:
            return NO_POSITIONS, np.empty(0, np.float32)
        anchor = -1 if query.anchor is None else query.anchor
        return self._factors.best(self._taste(query).vector, query.eligible, k, anchor)

    @property
    def embedding_model(self) -> str:
        """The model that it serves."""
        return self._config.model

    def user_embedding(self, query: Query) -> Floats:
        """(factors,) the user's vector, made of their latest events."""
        return np.empty(0, np.float32) if self._model is None else self._taste(query).vector

    def item_embeddings(self, positions: Positions) -> Floats:
        """(n, factors) the vectors of items; zeros of those without one."""
        if self._model is None:
            return np.empty((len(positions), 0), np.float32)
        rows = self._rows.at(positions)
        found = self._model.vectors[rows]
        found[rows < 0] = 0
        return found

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """Name the explainable item of the history that contributed most to each: never one that is disliked."""
        if self._model is None:
            return [None] * len(positions)
        template = self._config.reason if query.anchor is None else self._config.reason_anchored
        return self._sentences.said(query, self._grounds(query, positions), [template] * len(positions))

    def _grounds(self, query: Query, positions: Positions) -> Grounds:
        """What of the user's history speaks for the item at each position."""
        taste = self._taste(query)
        explainable = query.explainable[taste.items]
        items, shares = taste.items[explainable], np.ascontiguousarray(taste.shares.T[explainable])
        weights = np.ones(len(items), np.float32)
        added = added_by_parts(self._factors.vectors, self._rows.at(positions), shares, weights, NEGLIGIBLE)
        return self._sentences.grounds(query, positions, items, added)

    def _taste(self, query: Query) -> _Taste:
        return query.scope.once(self, "retrieve.history", partial(self._look_up, query))

    def _look_up(self, query: Query) -> _Taste:
        assert self._model is not None  # noqa: S101
        items, weights = seeds_of(query, self._config)
        rows = self._rows.at(items)
        partition, known = 0, rows >= 0
        if self._model.partitions:
            named = self._partitions.of_user(query.user)
            partition = self._model.partitions.index(named) if named in self._model.partitions else 0
            # What was of another partition when it got its vector means nothing in this one.
            known &= self._model.partition[rows] == partition
        items, weights, rows = items[known], weights[known], rows[known]
        shares = self._model.fold_in(rows, weights, partition)
        return _Taste(items, shares, shares.sum(axis=1))
