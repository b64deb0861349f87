"""Rows of what was shown, in arrays that are made once: of twenty million there is no room for a second copy."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from homefeed.dataset.impressions import ShownItems
from homefeed.types import Floats, Mask, Numbers

_COLUMNS_AT_ONCE: Final = 2
"""So many columns of features are put in another order at once, each by way of a copy."""


@dataclass(slots=True, eq=False)
class RowBuffer:
    """Room for rows (capacity,) as they are shown, of which the first `count` are there.

    `lists` (rows,) number the list that each is of; `outcomes` (rows, event_types) mark what followed.
    """

    features: Floats
    lists: Numbers
    items: Numbers
    places: Numbers
    propensities: Floats
    served: Floats
    outcomes: Mask
    event_types: tuple[str, ...] = ()
    count: int = field(default=0)

    @classmethod
    def of(cls, capacity: int, width: int) -> Self:
        """An empty one. Pages of memory are taken as they are filled."""
        return cls(
            features=np.empty((capacity, width), np.float32),
            lists=np.empty(capacity, np.int32),
            items=np.empty(capacity, np.int32),
            places=np.empty(capacity, np.int32),
            propensities=np.empty(capacity, np.float32),
            served=np.empty(capacity, np.float32),
            outcomes=np.empty((capacity, 0), np.bool_),
        )

    def add(self, shown: ShownItems, rows: npt.NDArray[np.intp], lists: Numbers, features: Floats) -> None:
        """Add rows of what was shown; what there is no room for is left out."""
        if not self.count and not self.event_types:
            self.event_types = shown.event_types
            self.outcomes = np.empty((len(self.lists), len(shown.event_types)), np.bool_)
        rows = rows[: len(self.lists) - self.count]
        into = slice(self.count, self.count + len(rows))
        np.nan_to_num(features[: len(rows)], copy=False, nan=0.0, posinf=0.0, neginf=0.0)
        self.features[into], self.lists[into] = features[: len(rows)], lists[: len(rows)]
        self.items[into], self.places[into] = shown.items[rows], shown.places[rows]
        self.propensities[into], self.served[into] = shown.propensities[rows], shown.scores[rows]
        self.outcomes[into] = shown.counts[rows] > 0
        self.count += len(rows)

    def grouped(self, kept: Mask) -> RowBuffer:
        """The rows of the lists kept (lists,), list by list, and within one by item, each once, its first place.

        By item, not by place: else a ranker that says nothing would order as what was shown. The buffer cannot be
        used after this: its own features are put in order.
        """
        rows, outcomes = self._once(self._order(kept))
        for start in range(0, self.features.shape[1], _COLUMNS_AT_ONCE):
            columns = slice(start, start + _COLUMNS_AT_ONCE)
            self.features[: len(rows), columns] = self.features[rows, columns]
        return replace(
            self,
            features=self.features[: len(rows)],
            lists=self.lists[rows],
            items=self.items[rows],
            places=self.places[rows],
            propensities=self.propensities[rows],
            served=self.served[rows],
            outcomes=outcomes,
            count=len(rows),
        )

    def _once(self, order: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.intp], Mask]:
        """Of the rows of one item in a list the first, and what followed any of them."""
        lists, items = self.lists[order], self.items[order]
        first = np.ones(len(order), np.bool_)
        first[1:] = (lists[1:] != lists[:-1]) | (items[1:] != items[:-1])
        starts, outcomes = np.flatnonzero(first), self.outcomes[order]
        return order[starts], np.logical_or.reduceat(outcomes, starts, axis=0) if len(starts) else outcomes

    def _order(self, kept: Mask) -> npt.NDArray[np.intp]:
        """The rows kept by list, then item; of equals the one that came first has the earlier place."""
        here = np.flatnonzero(kept[self.lists[: self.count]])
        key = self.lists[here].astype(np.int64) << 32
        key |= self.items[here]
        return here[np.argsort(key, kind="stable")]
