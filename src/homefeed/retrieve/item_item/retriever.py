"""Serves the item-item model from the user's latest events: a new click needs no training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.retrieve.item_item.model import ItemItemModel
from homefeed.retrieve.selection import top_k
from homefeed.taste import OncePerRequest, taste_of, verb_of
from homefeed.types import NO_POSITIONS, Floats, Mask, Positions, Query, Scores

_Neighbourhood: TypeAlias = tuple[Positions, npt.NDArray[np.int32], Floats]


class ItemItem:
    """An item's score is the weighted sum of its similarities to the items of the user's latest events.

    Costs what the neighbour lists of those events hold, whatever the size of the catalogue.
    """

    class Config(PartConfig):
        """`events` latest events count, each halved in weight every `half_life_days`.

        `reason` may name {title}, the item of the history that added most, and {verb}, what the user did to it:
        'Because you {verb} "{title}"'. In `reason_anchored` the title is that of the item the feed is about.
        `reason_alike` is said instead of both where one of the two items had no events, so that their content
        alone makes them neighbours.
        """

        model: str = "item_item"
        events: Annotated[int, Field(ge=1, le=1_000)] = 50
        half_life_days: Annotated[float, Field(gt=0)] = 90.0
        reason: str = "Because you chose {title}"
        reason_anchored: str = "Chosen by people who chose {title}"
        reason_alike: str = "Similar to {title}"

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._resources = resources
        self._catalog = resources.catalog
        self._model = resources.model(config.model, ItemItemModel)
        self._neighbourhood = OncePerRequest(self._look_up)
        if self._model is not None:
            self._position_of_row = self._catalog.positions(self._model.numbers)
            self._row_of_position = np.full(self._catalog.size, -1, np.int32)
            here = np.flatnonzero(self._position_of_row >= 0)
            self._row_of_position[self._position_of_row[here]] = here

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items most similar to the user's taste."""
        if self._model is None:
            return NO_POSITIONS, np.empty(0, np.float32)
        _, neighbours, gains = self._neighbourhood(query)
        rows, scores = _sum_by(neighbours, gains, len(self._model.numbers))
        positions = self._position_of_row[rows]
        eligible = query.eligible[positions] & (positions >= 0)
        positions, scores = positions[eligible], scores[eligible]
        best = top_k(scores, k)
        return positions[best], scores[best]

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """Name the item of the history that contributed most to each: never one that counts as disliked."""
        if self._model is None:
            return [None] * len(positions)
        template = self._config.reason if query.anchor is None else self._config.reason_anchored
        contributors = self._contributors(query, positions)
        alike = self._is_derived(positions) | self._is_derived(contributors)
        pairs = list(zip(contributors.tolist(), alike.tolist(), strict=True))
        said = {
            (item, derived): self._said(self._config.reason_alike if derived else template, query, item)
            for item, derived in set(pairs)
        }
        return [said[pair] for pair in pairs]

    def _said(self, template: str, query: Query, item: int) -> str | None:
        if item < 0:
            return None
        return template.format(title=self._catalog.title(item), verb=verb_of(query, item, self._resources))

    def _is_derived(self, positions: Positions) -> Mask:
        """(n,) whether the neighbours of the item at each position are such by content; not where none is."""
        assert self._model is not None  # noqa: S101
        modelled = (positions >= 0) & (positions < len(self._row_of_position))
        rows = np.where(modelled, self._row_of_position[np.where(modelled, positions, 0)], -1)
        return (rows >= 0) & self._model.derived[rows]

    def _contributors(self, query: Query, positions: Positions) -> Positions:
        """(n,) the nameable item that added most to each position's score; -1 where none did."""
        sources, neighbours, gains = self._neighbourhood(query)
        wanted = np.full(len(self._row_of_position) + 1, -1, np.int32)
        modelled = np.flatnonzero(positions < len(self._row_of_position))
        wanted[positions[modelled]] = modelled
        places = wanted[self._position_of_row[neighbours]]
        asked = (places >= 0) & (sources >= 0) & query.nameable[sources]
        if not asked.any():
            return np.full(len(positions), -1, np.int32)
        items, which = np.unique(sources[asked], return_inverse=True)
        added = np.zeros((len(positions), len(items)))
        np.add.at(added, (places[asked], which), gains[asked])
        best = added.argmax(axis=1)
        return np.where(added[np.arange(len(positions)), best] > 0, items[best], -1).astype(np.int32)

    def _look_up(self, query: Query) -> _Neighbourhood:
        """Every neighbour of every event, as columns: the event's item, the neighbour's row, what it adds.

        The item is -1 where it is disliked: what is unlike it may gain by that, but it is no reason to name.
        """
        assert self._model is not None  # noqa: S101
        items, weights = taste_of(
            query, self._config.events, self._config.half_life_days, self._model.place_exponent
        )
        known = items < len(self._row_of_position)
        items, weights = items[known], weights[known]
        rows = self._row_of_position[items]
        items, weights, rows = items[rows >= 0], weights[rows >= 0], rows[rows >= 0]
        start = self._model.indptr[rows]
        length = self._model.indptr[rows + 1] - start
        total = int(length.sum())
        places = np.arange(total) + np.repeat(start - (np.cumsum(length) - length), length)
        neighbours = self._model.indices[places]
        gains = self._model.weights[places] * np.repeat(weights, length)
        named = np.where(weights > 0, items, -1)
        return np.repeat(named, length), neighbours, gains


def _sum_by(rows: npt.NDArray[np.int32], gains: Floats, size: int) -> tuple[npt.NDArray[np.int32], Scores]:
    """The distinct rows and the sum of each one's gains; touches only the rows named, not all `size`."""
    sums = np.zeros(size, np.float32)
    np.add.at(sums, rows, gains)
    last = np.empty(size, np.int32)
    order = np.arange(len(rows), dtype=np.int32)
    last[rows] = order
    distinct = rows[last[rows] == order]
    return distinct, sums[distinct]
