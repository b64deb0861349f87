"""Not too much of one thing in a row: of one creator, say."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.catalog.columns import CategoryColumn
from homefeed.policy.kernels import capped_rows
from homefeed.protocols import PartConfig
from homefeed.types import Candidates, Condition, Dropped, Query


class Caps:
    """At most `max_items` items of one value in any `window` consecutive places, earlier pages included.
    A reranker after it can break the rule, so it belongs last.

    Each place goes to the best-ranked candidate left that keeps the rule: those passed over come as soon as they
    may. Where none may come any more, the rest is dropped; unless the request has a condition on the field: who
    asks for the items of one creator gets them all, those passed over last.
    """

    class Config(PartConfig):
        field: str = "creator_id"
        """A category field of items. Items without a value are not capped."""
        max_items: Annotated[int, Field(ge=1)] = 2
        """How many items of one value a window may hold."""
        window: Annotated[int, Field(ge=1, le=50)] = 10
        """How many consecutive places are looked at together."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._catalog = resources.catalog
        self._column = resources.catalog.column(config.field, CategoryColumn)

    def rerank(self, query: Query, candidates: Candidates) -> Candidates:
        """In the order of rank as far as the rule allows."""
        max_items, window = self._config.max_items, self._config.window
        codes = self._column.codes(self._catalog.size)
        before = codes[query.recently_shown[max(0, len(query.recently_shown) - window + 1) :]]
        order = capped_rows(codes[candidates.positions], before, max_items, window)
        if len(order) == len(candidates):
            return candidates if (order[:-1] < order[1:]).all() else candidates.take(order)
        dropped = np.ones(len(candidates), np.bool_)
        dropped[order] = False
        if any(self._asks_for(condition) for condition in query.conditions):
            return candidates.take(np.concatenate([order, dropped.nonzero()[0]]))
        reranked, left = candidates.take(order), candidates.positions[dropped]
        why = f"{max_items} of one {self._config.field} in {window} places, and nothing else to place between"
        return replace(reranked, dropped=(*candidates.dropped, Dropped("caps", left, why)))

    def _asks_for(self, condition: Condition) -> bool:
        """Whether it asks for items of the capped field's values, and not for all but some."""
        return condition.field == self._config.field and condition.operator == ":"
