"""The vectors of an app's items, in step with its catalogue."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from homefeed.catalog import Resources
from homefeed.retrieve.content.model import ContentModel
from homefeed.retrieve.vectors import NEGLIGIBLE, VectorIndex
from homefeed.types import Floats, Mask, Positions, Scores


class ItemVectors:
    """`array` (items, dimensions) holds each item's unit vector; without a model it has no rows."""

    def __init__(self, model: ContentModel | None, resources: Resources) -> None:
        self._model, self._catalog, self._partitions = model, resources.catalog, resources.partitions
        self._fields = model.fields if model else ()
        self._seen = 0
        self._index = VectorIndex(np.zeros((0, 1), np.float32)) if model is None else self._indexed(model)

    @property
    def array(self) -> Floats:
        """(items, dimensions)."""
        return self._index.vectors

    def refresh(self) -> None:
        """Embed the items that came or changed since."""
        now = self._catalog.snapshot
        if self._model is None or self._seen == now.generation:
            return
        changed = now.changed_since(self._seen)
        self._index.grow(now.size)
        self._index.put(changed, self._embedded(self._model, changed))
        self._seen = now.generation

    def nearest(
        self, vector: Floats, eligible: Mask, k: int, above: float = NEGLIGIBLE, without: int = -1
    ) -> tuple[Positions, Scores]:
        """The k eligible items closest to a unit vector, but for the one at `without`, by their cosines."""
        return self._index.nearest(vector, eligible, k, above=above, without=without)

    def _indexed(self, model: ContentModel) -> VectorIndex:
        now = self._catalog.snapshot
        self._seen, size = now.generation, now.size
        positions = now.positions(model.numbers)
        if len(positions) == size and (positions == np.arange(size)).all():
            return VectorIndex(model.vectors)
        index = VectorIndex(np.zeros((size, model.vectors.shape[1]), np.float32))
        here = np.flatnonzero(positions >= 0)
        index.put(positions[here], model.vectors, here)
        missing = np.setdiff1d(np.arange(size), positions)
        index.put(missing, self._embedded(model, missing))
        return index

    def _embedded(self, model: ContentModel, positions: npt.NDArray[np.integer[Any]]) -> Floats:
        places = positions.tolist()
        items = ({field: self._catalog.terms_at(field, position) for field in self._fields} for position in places)
        return model.embed(items, map(self._partitions.of_item, places))
