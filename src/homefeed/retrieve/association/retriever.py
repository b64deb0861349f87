"""Serves association rules: what is often chosen together with what the user chose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from homefeed.catalog import Resources
from homefeed.retrieve.association.model import AssociationModel
from homefeed.retrieve.history import HistoryConfig, nameable, seeds_of
from homefeed.retrieve.neighbours import ServedLists
from homefeed.retrieve.sentences import HistorySentences
from homefeed.types import NO_POSITIONS, Positions, Query, Scores


class Association:
    """What baskets and visits hold together with the items of the user's latest events, by pair rules.

    An item's score is the weighted sum of the rules to it from those items. Of that sum it is the root of the
    degree of the model's sharpness: so it is on the scale of one rule. A feed about an item has that item's own
    rules, which never lead to itself.
    """

    class Config(HistoryConfig):
        model: str = "association"
        """The model of the recipe that it serves."""
        reason: str = "Often chosen together with {title}"
        """The reason; {title} is the item of the history that added most, {verb} what the user did to it."""
        reason_anchored: str = "Often chosen together with {title}"
        """The reason in a feed about an item; {title} is that item."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config, self._sentences = config, HistorySentences(config, resources)
        self._model = resources.model(config.model, AssociationModel)
        self._lists = None if self._model is None else ServedLists.over(resources.catalog, self._model)

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items that most rules, and the weightiest, lead to."""
        if self._lists is None or self._model is None:
            return NO_POSITIONS, np.empty(0, np.float32)
        positions, sums = self._lists.best(seeds_of(query, self._config), query.eligible, k)
        return positions, sums ** np.float32(1 / self._model.sharpness)

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """Name the item that the weightiest rule to each starts from: never one that counts as disliked."""
        if self._lists is None:
            return [None] * len(positions)
        items, weights = nameable(query, seeds_of(query, self._config))
        added = self._lists.contributions((items, weights), positions)
        template = self._config.reason if query.anchor is None else self._config.reason_anchored
        grounds = self._sentences.grounds(query, positions, items, added)
        return self._sentences.said(query, grounds, [template] * len(positions))
