"""Serves the item-item model from the user's latest events: a new click needs no training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from homefeed.catalog import Resources
from homefeed.retrieve.contributions import Grounds
from homefeed.retrieve.history import HistoryConfig, Seeds, nameable, seeds_of
from homefeed.retrieve.item_item.model import ItemItemModel
from homefeed.retrieve.neighbours import ServedLists
from homefeed.retrieve.sentences import HistorySentences
from homefeed.types import NO_POSITIONS, Mask, Positions, Query, Scores


class ItemItem:
    """What users who chose the items of the user's latest events choose, too.

    An item's score is the weighted sum of its similarities to those items. Costs what the neighbour lists of those
    events hold, whatever the size of the catalogue.
    """

    MODEL: ClassVar[type[ItemItemModel]] = ItemItemModel

    class Config(HistoryConfig):
        model: str = "item_item"
        """The model of the recipe that it serves."""
        reason: str = "Because you chose {title}"
        """The reason; {title} is the item of the history that added most, {verb} what the user did to it."""
        reason_anchored: str = "Goes with {title}"
        """The reason in a feed about an item; {title} is that item. Where `min_users` of the model is below 2 it
        should not speak of people: it may have been one."""
        reason_cold_item: str = "Similar to {title}"
        """The reason instead of both where one of the two items had no events, so that their content makes them
        neighbours."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config, self._sentences = config, HistorySentences(config, resources)
        self._model = resources.model(config.model, self.MODEL)
        if self._model is not None:
            self._lists = ServedLists.over(resources.catalog, self._model)
            rows = self._lists.index.rows
            # By position; the last is that of all that came later, and of none.
            self._derived = np.append(self._model.derived, False)[rows]

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items most similar to the user's taste."""
        if self._model is None:
            return NO_POSITIONS, np.empty(0, np.float32)
        return self._lists.best(self._seeds(query), query.eligible, k)

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """Name the item of the history that contributed most to each: never one that counts as disliked."""
        if self._model is None:
            return [None] * len(positions)
        template = self._config.reason if query.anchor is None else self._config.reason_anchored
        grounds = self._grounds(query, positions)
        by_content = self._is_derived(positions) | self._is_derived(grounds.items)
        templates = [self._config.reason_cold_item if derived else template for derived in by_content.tolist()]
        return self._sentences.said(query, grounds, templates)

    def _is_derived(self, positions: Positions) -> Mask:
        """(n,) whether the neighbours of the item at each position are such by content; not where none is."""
        derived: Mask = self._derived[np.minimum(positions, len(self._derived) - 1)]
        return derived

    def _grounds(self, query: Query, positions: Positions) -> Grounds:
        """What of the user's history speaks for the item at each position."""
        items, weights = nameable(query, self._seeds(query))
        added = self._lists.contributions((items, weights), positions)
        return self._sentences.grounds(query, positions, items, added)

    def _seeds(self, query: Query) -> Seeds:
        assert self._model is not None  # noqa: S101
        return seeds_of(query, self._config, self._model.place_exponent)
