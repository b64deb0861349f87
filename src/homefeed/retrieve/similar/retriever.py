"""Serves the model of similar items, those that came or changed since included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from homefeed.catalog import Resources
from homefeed.retrieve.arrays import RowIndex
from homefeed.retrieve.history import HistoryConfig, nameable, seeds_of
from homefeed.retrieve.neighbours import ServedLists
from homefeed.retrieve.sentences import HistorySentences
from homefeed.retrieve.similar.incremental import Comparison, NewItem
from homefeed.retrieve.similar.model import SimilarModel
from homefeed.types import NO_POSITIONS, Positions, Query, Scores


class Similar:
    """Items with words that are most similar to those of the items of the user's latest events, from lists made by
    training; items that came since are found, too.

    An item's score is the weighted sum of its similarities to those items. In a feed about an item it is the
    similarity to that one. Costs what the neighbour lists of those items hold. Items that are new or have other
    words than when the model was fitted are compared when `refresh` is called.
    """

    class Config(HistoryConfig):
        model: str = "similar"
        """The model of the recipe that it serves."""
        reason: str = 'Because you {verb} "{title}"'
        """The reason; {title} is the item of the history that added most, {verb} what the user did to it."""
        reason_anchored: str = 'Similar to "{title}"'
        """The reason in a feed about an item; {title} is that item."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config, self._catalog = config, resources.catalog
        self._sentences = HistorySentences(config, resources)
        self._partitions = resources.partitions
        self._model = resources.model(config.model, SimilarModel)
        self._new_items: dict[int, NewItem] = {}
        if self._model is not None:
            self._comparison = Comparison(self._model)
            now = self._catalog.snapshot
            self._seen = now.generation
            self._position_of_row = now.positions(self._model.numbers)
            self._index = RowIndex(self._position_of_row, now.size)
            self._compare(self._model, np.arange(now.size, dtype=np.int32))
            self._lists = self._served(self._model, now.size)

    def refresh(self) -> None:
        """Compare the items that are new or have other words."""
        now = self._catalog.snapshot
        if self._model is None or self._seen == now.generation:
            return
        if self._compare(self._model, now.changed_since(self._seen)):
            self._lists = self._served(self._model, now.size)
        self._seen = now.generation

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items most similar to those of the user's taste."""
        if self._model is None:
            return NO_POSITIONS, np.empty(0, np.float32)
        return self._lists_of(query).best(seeds_of(query, self._config), query.eligible, k)

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """Name the item of the history that each is most similar to: never one that counts as disliked."""
        if self._model is None:
            return [None] * len(positions)
        items, weights = nameable(query, seeds_of(query, self._config))
        added = self._lists_of(query).contributions((items, weights), positions)
        template = self._config.reason if query.anchor is None else self._config.reason_anchored
        grounds = self._sentences.grounds(query, positions, items, added)
        return self._sentences.said(query, grounds, [template] * len(positions))

    def _lists_of(self, query: Query) -> ServedLists:
        """Those of one moment: another thread may put newer ones in their place."""
        return query.scope.once(self, "retrieve.lists", lambda: self._lists)

    def _compare(self, model: SimilarModel, positions: Positions) -> bool:
        """Take over the words of items at these positions; whether any has changed."""
        items: dict[int, Mapping[str, Sequence[str]]] = {}
        before, fields = len(self._new_items), model.compared
        rows = self._index.at(positions).tolist()
        for position, row in zip(positions.tolist(), rows, strict=True):
            item = {field: self._catalog.terms_at(field, position) for field in fields}
            mark, known = model.mark(item), self._new_items.get(position)
            if row >= 0 and model.marks[row] == mark:
                self._new_items.pop(position, None)
            elif known is None or known.mark != mark:
                items[position] = item
        gone = len(self._new_items) < before
        partitions = [self._partitions.of_item(position) for position in items]
        compared = self._comparison.compare(list(items.values()), partitions)
        self._new_items |= zip(items, compared, strict=True)
        return gone or bool(items)

    def _served(self, model: SimilarModel, size: int) -> ServedLists:
        new_items = dict(sorted(self._new_items.items()))
        added = np.fromiter(new_items, np.int32, len(new_items))
        rows = np.where(np.isin(self._position_of_row, added), -1, self._position_of_row)
        if not new_items:
            return ServedLists(rows, size, model)
        layer = self._comparison.layer(list(new_items.values()))
        return ServedLists(np.concatenate([rows, added]), size, model, layer)
