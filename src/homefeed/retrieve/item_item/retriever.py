"""Serves the item-item model from the user's latest events: a new click needs no training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from homefeed.catalog import Resources
from homefeed.retrieve.history import HistoryConfig, Seeds, seeds_of
from homefeed.retrieve.item_item.model import ItemItemModel
from homefeed.retrieve.neighbours import ServedLists
from homefeed.retrieve.sentences import reasons_naming
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
        self._config, self._resources = config, resources
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
        items = self._contributors(query, positions)
        by_content = self._is_derived(positions) | self._is_derived(items)
        if not by_content.any():
            return reasons_naming(template, query, items, self._resources)
        derived = reasons_naming(self._config.reason_cold_item, query, items, self._resources)
        chosen = reasons_naming(template, query, items, self._resources)
        return [
            of_content if is_derived else of_choices
            for is_derived, of_content, of_choices in zip(by_content.tolist(), derived, chosen, strict=True)
        ]

    def _is_derived(self, positions: Positions) -> Mask:
        """(n,) whether the neighbours of the item at each position are such by content; not where none is."""
        derived: Mask = self._derived[np.minimum(positions, len(self._derived) - 1)]
        return derived

    def _contributors(self, query: Query, positions: Positions) -> Positions:
        """(n,) the explainable item that added most to each position's score; -1 where none did."""
        return self._lists.contributors(self._seeds(query), query.explainable, positions)

    def _seeds(self, query: Query) -> Seeds:
        assert self._model is not None  # noqa: S101
        return seeds_of(query, self._config, self._model.place_exponent)
