"""Serves the ALS model: the user's vector is solved from their latest events, so a new click needs no training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from homefeed.catalog import Resources
from homefeed.retrieve.als.model import AlsModel
from homefeed.retrieve.history import HistoryConfig
from homefeed.retrieve.selection import top_k
from homefeed.taste import verb_of, weighted_seeds
from homefeed.types import NO_POSITIONS, Floats, Positions, Query, Scores

_FEW: Final = 4
"""Where one item in so many is eligible, or fewer, only theirs are compared."""

_NOTHING: Final = 1e-6
"""What rounding may leave of the inner product of vectors that have nothing in common."""


@dataclass(frozen=True, slots=True)
class _Taste:
    """The items of a taste that have a vector, what each adds to the user's (factors, items), and the user's."""

    items: Positions
    shares: Floats
    vector: Floats


class Als:
    """What a matrix factorisation predicts the user to prefer: the user's vector is solved from their latest
    events at the request. Items without events by the time of training are not proposed.

    An item's score is the inner product of its vector and the user's: a preference, mostly from 0 to 1. See
    `AlsModel.fold_in`: users need not be known to the model. A feed about an item is one for a user who liked that
    item alone.

    Exact: every vector is compared, so a request costs time in proportion to the items that have one.
    """

    class Config(HistoryConfig):
        model: str = "als"
        """The model of the recipe that it serves."""
        reason: str = "Because you chose {title}"
        """The reason; {title} is the item of the history that added most, {verb} what the user did to it."""
        reason_anchored: str = "For people who chose {title}"
        """The reason in a feed about an item; {title} is that item. Vectors can be alike although no user chose
        both: it should not say that some did."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config, self._resources = config, resources
        self._catalog = resources.catalog
        self._model = resources.model(config.model, AlsModel)
        if self._model is None:
            return
        positions = self._catalog.positions(self._model.numbers)
        here = np.flatnonzero(positions >= 0)
        self._positions = positions[here]
        # Where nothing was deleted since, the vectors stay as they are mapped: processes share them.
        self._factors = self._model.factors if len(here) == len(positions) else self._model.factors[here]
        # The last place is for all that came later.
        self._row_of_position = np.full(self._catalog.size + 1, -1, np.int32)
        self._row_of_position[self._positions] = np.arange(len(here), dtype=np.int32)

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items that the user is likeliest to prefer."""
        if self._model is None:
            return NO_POSITIONS, np.empty(0, np.float32)
        vector = self._taste(query).vector
        if not vector.any():
            return NO_POSITIONS, np.empty(0, np.float32)
        eligible = query.eligible
        if query.anchor is not None:
            eligible = eligible.copy()
            eligible[query.anchor] = False
        if np.count_nonzero(eligible) * _FEW > len(self._factors):
            rows, scores = None, self._factors @ vector
            scores *= eligible.take(self._positions)
        else:
            rows = self._rows_at(np.flatnonzero(eligible))
            rows = rows[rows >= 0]
            scores = self._factors[rows] @ vector
        best = top_k(scores, k)
        best = best[scores[best] > _NOTHING]
        return self._positions[best if rows is None else rows[best]], scores[best]

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """Name the explainable item of the history that contributed most to each: never one that is disliked."""
        if self._model is None:
            return [None] * len(positions)
        template = self._config.reason if query.anchor is None else self._config.reason_anchored
        contributors = self._contributors(query, positions).tolist()
        said = {item: self._said(template, query, item) for item in set(contributors)}
        return [said[item] for item in contributors]

    def _said(self, template: str, query: Query, item: int) -> str | None:
        if item < 0:
            return None
        return template.format(title=self._catalog.title(item), verb=verb_of(query, item, self._resources))

    def _contributors(self, query: Query, positions: Positions) -> Positions:
        """(n,) the explainable item that added most to each position's score; -1 where none did."""
        taste = self._taste(query)
        explainable = query.explainable[taste.items]
        items, shares = taste.items[explainable], taste.shares[:, explainable]
        if not len(items):
            return np.full(len(positions), -1, np.int32)
        rows = self._rows_at(positions)
        added = self._factors[rows] @ shares
        # Nothing is proposed because of itself.
        added[(rows < 0)[:, None] | (positions[:, None] == items[None, :])] = 0
        best = added.argmax(axis=1)
        return np.where(added[np.arange(len(positions)), best] > _NOTHING, items[best], -1).astype(np.int32)

    def _taste(self, query: Query) -> _Taste:
        return query.scope.once(self, "retrieve.history", partial(self._look_up, query))

    def _look_up(self, query: Query) -> _Taste:
        assert self._model is not None  # noqa: S101
        items, weights = weighted_seeds(query, self._config.max_events, self._config.half_life_days)
        rows = self._rows_at(items)
        items, weights, rows = items[rows >= 0], weights[rows >= 0], rows[rows >= 0]
        shares = self._model.fold_in(self._factors[rows], weights)
        return _Taste(items, shares, shares.sum(axis=1))

    def _rows_at(self, positions: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.int32]:
        """(n,) the rows of the vectors of items; -1 for those without one."""
        rows: npt.NDArray[np.int32] = self._row_of_position[np.minimum(positions, len(self._row_of_position) - 1)]
        return rows
