"""How like an item is to what the user liked last, by the vectors of a model."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig, VectorModel
from homefeed.rank.kernels import last_liked
from homefeed.rank.vectors import ItemRows, cosines
from homefeed.types import Candidates, Floats, Positions, Query


class Similarity:
    """How like the item is to the last items that the user liked, by a model with vectors of items: the largest
    and the mean of the cosines, `MODEL_similarity_max` and `MODEL_similarity_mean`, from -1 to 1. In a feed about
    an item it is compared with that item alone.

    `content` compares words, items that came since the training included; `als` compares who chose them. The last
    items liked are distinct, by the latest event of each that says anything: one that was disliked since is none.
    0 where the model is not trained or has no vectors of items, the item has none, or nothing was liked.
    """

    class Config(PartConfig):
        model: str = "content"
        """The model of the recipe whose vectors are compared, of kind `content`, `als` or `lightgcn`."""
        last: Annotated[int, Field(ge=1, le=100)] = 5
        """With how many items it is compared: those liked last."""
        max_events: Annotated[int, Field(ge=1, le=1_000)] = 50
        """Among how many of the user's latest events they are looked for."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        model = resources.models.get(config.model)
        self._items = ItemRows(model, resources) if isinstance(model, VectorModel) else None
        self.names = tuple(f"{config.model}_similarity_{which}" for which in ("max", "mean"))

    def refresh(self) -> None:
        """Take over the items that came or changed since."""
        if self._items is not None:
            self._items.refresh()

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 2) from -1 to 1."""
        if self._items is None:
            return np.zeros((len(candidates), 2), np.float32)
        items = self._items.now
        liked = items.at(self._liked(query))
        return cosines(items.trained, items.later, items.at(candidates.positions), liked)

    def _liked(self, query: Query) -> Positions:
        """(m,) the items to compare with."""
        if query.anchor is not None:
            return np.array([query.anchor], np.int32)
        history = query.user.history.latest(self._config.max_events)
        return last_liked(history.items, history.strengths, self._config.last)
