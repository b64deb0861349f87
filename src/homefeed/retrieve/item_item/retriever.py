"""Serves the item-item model from the user's latest events: a new click needs no training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from homefeed.catalog import Resources
from homefeed.retrieve.history import HistoryConfig
from homefeed.retrieve.item_item.model import ItemItemModel
from homefeed.retrieve.neighbours import Gains, ServedLists
from homefeed.taste import verb_of, weighted_seeds
from homefeed.types import NO_POSITIONS, Mask, Positions, Query, Scores


class ItemItem:
    """What users who chose the items of the user's latest events choose, too.

    An item's score is the weighted sum of its similarities to those items. Costs what the neighbour lists of those
    events hold, whatever the size of the catalogue.
    """

    class Config(HistoryConfig):
        model: str = "item_item"
        """The model of the recipe that it serves."""
        reason: str = "Because you chose {title}"
        """The reason; {title} is the item of the history that added most, {verb} what the user did to it."""
        reason_anchored: str = "Chosen by people who chose {title}"
        """The reason in a feed about an item; {title} is that item."""
        reason_alike: str = "Similar to {title}"
        """The reason instead of both where one of the two items had no events, so that their content makes them
        neighbours."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._resources = resources
        self._catalog = resources.catalog
        self._model = resources.model(config.model, ItemItemModel)
        if self._model is not None:
            self._lists = ServedLists.over(self._catalog, self._model)

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items most similar to the user's taste."""
        if self._model is None:
            return NO_POSITIONS, np.empty(0, np.float32)
        return self._lists.best(self._gains(query), query.eligible, k)

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
        rows = self._lists.rows_of(positions)
        derived = np.zeros(len(rows), np.bool_)
        derived[rows >= 0] = self._model.derived[rows[rows >= 0]]
        return derived

    def _contributors(self, query: Query, positions: Positions) -> Positions:
        """(n,) the explainable item that added most to each position's score; -1 where none did."""
        return self._lists.contributors(self._gains(query), query.explainable, positions)

    def _gains(self, query: Query) -> Gains:
        return query.scope.once(self, "retrieve.neighbours", partial(self._look_up, query))

    def _look_up(self, query: Query) -> Gains:
        assert self._model is not None  # noqa: S101
        taste = weighted_seeds(
            query, self._config.max_events, self._config.half_life_days, self._model.place_exponent
        )
        return self._lists.gather(*taste)
