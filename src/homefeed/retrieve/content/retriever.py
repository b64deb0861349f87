"""Serves the content model: items near the mean of what the user watched, new items included."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.retrieve.content.model import ContentModel
from homefeed.retrieve.selection import top_k
from homefeed.retrieve.taste import OncePerRequest, taste_of
from homefeed.types import NO_POSITIONS, Floats, Positions, Query, Scores


class Content:
    """An item's score is the cosine of its vector and the weighted sum of those of the user's latest events.

    Exact: every vector is compared, so a request costs time in proportion to the catalogue.
    """

    class Config(PartConfig):
        """`events` latest events count, each halved in weight every `half_life_days`."""

        model: str = "content"
        events: Annotated[int, Field(ge=1, le=1_000)] = 50
        half_life_days: Annotated[float, Field(gt=0)] = 90.0
        reason: str = "Similar to {title}"

    def __init__(self, config: Config, resources: Resources) -> None:
        self._config = config
        self._catalog = resources.catalog
        self._model = resources.model(config.model, ContentModel)
        self._vectors = np.zeros((0, 1), np.float32)
        self._seen = 0
        self._fields = self._model.fields if self._model else ()
        self._taste = OncePerRequest(self._look_up)
        if self._model is not None:
            # The catalogue may grow meanwhile: what comes is left to the next refresh.
            self._seen, size = self._catalog.generation, self._catalog.size
            self._vectors = np.zeros((size, self._model.vectors.shape[1]), np.float32)
            positions = self._catalog.positions(self._model.numbers)
            here = (positions >= 0) & (positions < size)
            self._vectors[positions[here]] = self._model.vectors[here]
            self._embed(np.setdiff1d(np.arange(size), positions))

    def refresh(self) -> None:
        """Embed the items that came or changed since."""
        if self._model is None or self._seen == self._catalog.generation:
            return
        generation = self._catalog.generation
        changed = self._catalog.changed_since(self._seen)
        grown = np.zeros((self._catalog.size, self._vectors.shape[1]), np.float32)
        grown[: len(self._vectors)] = self._vectors
        self._vectors = grown
        self._embed(changed)
        self._seen = generation

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items closest to the user's taste."""
        items, weights = self._taste(query)
        if not len(items):
            return NO_POSITIONS, np.empty(0, np.float32)
        vectors = self._vectors
        profile = weights @ vectors[items]
        length = float(np.linalg.norm(profile))
        if length < 1e-9:
            return NO_POSITIONS, np.empty(0, np.float32)
        scores = vectors @ (profile / np.float32(length))
        scores *= query.eligible[: len(scores)]
        if query.anchor is not None and query.anchor < len(scores):
            scores[query.anchor] = 0
        best = top_k(scores, k)
        return best.astype(np.int32), scores[best]

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """Name the item of the history, if it is still available, that contributed most to each."""
        items, weights = self._taste(query)
        available = self._catalog.available[items]
        items, weights = items[available], weights[available]
        if not len(items):
            return [None] * len(positions)
        vectors = self._vectors
        embedded = positions < len(vectors)
        added = (vectors[np.where(embedded, positions, 0)] @ vectors[items].T) * weights
        added[~embedded] = 0
        added[positions[:, None] == items[None, :]] = 0
        best = added.argmax(axis=1)
        closest = np.where(added[np.arange(len(positions)), best] > 0, items[best], -1)
        return [
            self._config.reason.format(title=self._catalog.title(item)) if item >= 0 else None
            for item in closest.tolist()
        ]

    def _look_up(self, query: Query) -> tuple[Positions, Floats]:
        items, weights = taste_of(query, self._config.events, self._config.half_life_days)
        known = items < len(self._vectors)
        return items[known], weights[known]

    def _embed(self, positions: Positions) -> None:
        if self._model is not None and len(positions):
            terms = [{f: self._catalog.terms_at(f, at) for f in self._fields} for at in positions.tolist()]
            self._vectors[positions] = self._model.embed(terms)
