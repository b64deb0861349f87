"""Semantic search: items close in meaning to the query, in the same words or others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import numpy as np
from pydantic import Field

from homefeed.catalog import Resources
from homefeed.retrieve.content.model import ContentModel
from homefeed.retrieve.content.vectors import ItemVectors
from homefeed.retrieve.keeping import kept
from homefeed.retrieve.search.engine import SearchConfig, engine_of, text_of
from homefeed.retrieve.search.reading import Reading
from homefeed.retrieve.search.synonyms import Phrase
from homefeed.retrieve.search.understanding import Concept
from homefeed.types import NO_POSITIONS, Floats, Positions, Query, Scores

_KEPT: Final = 10_000


class Semantic:
    """What is close in meaning to the request's `query`, by the vectors of a content model.

    The score is the cosine of an item's vector and the query's. That is latent semantic indexing (Deerwester et
    al., JASIS 1990) where the model was made of the catalogue itself; with a text model the query is embedded by
    that one's words. The query is taken as search understands it: misspellings are corrected first, and words that
    no item has are taken for their synonyms.
    """

    class Config(SearchConfig):
        model: str = "content"
        """The content model of the recipe that it uses."""
        min_similarity: Annotated[float, Field(ge=0, le=1)] = 0.5
        """The cosine that an item has to exceed."""
        reason: str = 'Close in meaning to "{query}"'
        """The reason; {query} is the query as it was typed."""

    def __init__(self, config: Config, resources: Resources) -> None:
        """Raises RecipeError where the fields or the table of synonyms cannot be used."""
        self._config = config
        self._engine = engine_of(config, resources)
        self._model = resources.model(config.model, ContentModel)
        self._fields = self._model.fields if self._model else ()
        self._items = ItemVectors(self._model, resources)
        self._embedded = kept(_KEPT, self._embed)

    def refresh(self) -> None:
        """Take over the items that came or changed."""
        self._engine.refresh()
        self._items.refresh()

    def retrieve(self, query: Query, k: int) -> tuple[Positions, Scores]:
        """The k eligible items closest to the query."""
        vector = self._vector(query)
        if vector is None:
            return NO_POSITIONS, np.empty(0, np.float32)
        return self._items.nearest(vector, query.eligible, k, self._config.min_similarity)

    def reasons(self, query: Query, positions: Positions) -> Sequence[str | None]:
        """The same for every item that is as close as that."""
        vector = self._vector(query)
        if vector is None:
            return [None] * len(positions)
        vectors = self._items.array
        known = np.flatnonzero(positions < len(vectors))
        close = np.zeros(len(positions), np.bool_)
        close[known] = vectors[positions[known]] @ vector > self._config.min_similarity
        reason = self._config.reason.format(query=text_of(query))
        return [reason if is_close else None for is_close in close.tolist()]

    def _vector(self, query: Query) -> Floats | None:
        text, generation = text_of(query), self._engine.reading.generation
        return self._embedded(text, self._engine.partition(query), generation) if text else None

    def _embed(self, text: str, partition: str | None, _generation: int) -> Floats | None:
        """(dimensions,) the unit vector of a query; None where the model knows none of its words."""
        if self._model is None:
            return None
        index = self._engine.reading.within(partition)
        words = [
            word
            for concept in self._engine.understand(text, partition)
            for term in _best_known(concept, index)
            for word in index.written(term)
        ]
        vector = self._model.embed([dict.fromkeys(self._fields, tuple(dict.fromkeys(words)))], [partition])[0]
        return vector if vector.any() else None


def _best_known(concept: Concept, index: Reading) -> Phrase:
    """The first phrase of a concept with terms that items have: all together would blur the vector."""
    return next((other.phrase for other in concept.alternatives if all(map(index.count, other.phrase))), ())
