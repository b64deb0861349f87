"""The vectors of an app's items, in step with its catalogue."""

from __future__ import annotations

import numpy as np

from homefeed.catalog import CatalogView
from homefeed.retrieve.content.model import ContentModel
from homefeed.retrieve.selection import top_k
from homefeed.types import Floats, Mask, Positions, Scores

_FEW = 4
"""Where one item in so many is eligible, or fewer, only theirs are compared."""
_NOTHING = 1e-6
"""What rounding may leave of the cosine of vectors that have nothing in common."""


class ItemVectors:
    """`array` (items, dimensions) holds each item's unit vector; without a model it has no rows."""

    def __init__(self, model: ContentModel | None, catalog: CatalogView) -> None:
        self._model, self._catalog = model, catalog
        self._fields = model.fields if model else ()
        self._seen = 0
        self.array: Floats = np.zeros((0, 1), np.float32)
        if model is not None:
            # The catalogue may grow meanwhile: what comes is left to the next refresh.
            self._seen, size = catalog.generation, catalog.size
            self.array = np.zeros((size, model.vectors.shape[1]), np.float32)
            positions = catalog.positions(model.numbers)
            here = (positions >= 0) & (positions < size)
            self.array[positions[here]] = model.vectors[here]
            self._embed(np.setdiff1d(np.arange(size), positions))

    def __len__(self) -> int:
        return len(self.array)

    def refresh(self) -> None:
        """Embed the items that came or changed since."""
        if self._model is None or self._seen == self._catalog.generation:
            return
        generation = self._catalog.generation
        changed = self._catalog.changed_since(self._seen)
        grown = np.zeros((self._catalog.size, self.array.shape[1]), np.float32)
        grown[: len(self.array)] = self.array
        self.array = grown
        self._embed(changed)
        self._seen = generation

    def nearest(
        self, profile: Floats, eligible: Mask, k: int, least: float = _NOTHING
    ) -> tuple[Positions, Scores]:
        """The k eligible items closest to a unit vector, by their cosines, which are above `least`."""
        # Either may know items that the other does not.
        vectors = self.array[: len(eligible)]
        eligible = eligible[: len(vectors)]
        if np.count_nonzero(eligible) * _FEW > len(vectors):
            rows, scores = None, vectors @ profile
            scores *= eligible
        else:
            rows = np.flatnonzero(eligible)
            scores = vectors[rows] @ profile
        best = top_k(scores, k)
        best = best[scores[best] > least]
        return (best if rows is None else rows[best]).astype(np.int32), scores[best]

    def _embed(self, positions: Positions) -> None:
        if self._model is not None and len(positions):
            terms = [{f: self._catalog.terms_at(f, at) for f in self._fields} for at in positions.tolist()]
            self.array[positions] = self._model.embed(terms)
