"""The content model: an item's vector is the weighted sum of those of its words. Embeds items it never saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from homefeed.catalog.partitions import name_in
from homefeed.model_files import require_columns, require_finite, require_numbers, require_shape
from homefeed.protocols import PartConfig
from homefeed.retrieve.arrays import ArrayModel
from homefeed.retrieve.content.words import word_matrix, words_of
from homefeed.retrieve.joining import in_rows, joined_words, rows_among
from homefeed.types import Floats, Numbers


class ContentConfig(PartConfig):
    """How the words of items become vectors; see `ContentTrainer` for the formula."""

    fields: Annotated[dict[str, float], Field(min_length=1)]
    """By field of kind text, category or tags, its weight."""
    dimensions: Annotated[int, Field(ge=2, le=1_024)] = 64
    """The length of an item's vector."""
    max_words: Annotated[int, Field(ge=10)] = 50_000
    """How many words count: the most frequent."""
    text_model: Annotated[str | None, Field(min_length=1)] = None
    """What gives words their vectors: `wordllama`, the folder of a model of sentence-transformers or model2vec,
    relative to where training runs, or `none`, the catalogue's own words; without it the setting `text_model`."""


@dataclass(frozen=True, slots=True)
class ContentModel(ArrayModel):
    """Vectors of items by their words: TF-IDF of fields, reduced by truncated SVD, or the vectors of a text model.

    `vectors` (items, dimensions) of the permanent `numbers` are of length 1, or zero where an item has no known
    word. What it takes to embed another item is kept beside them: `words` maps
    a field's word, `field=word`, to its column; `weights` (words,) inverse document frequency times the weight
    of the field; `components` (dimensions, words) each word's vector. Where users are kept `apart`, dimensions
    mean something else in each partition, and words are of one partition: `name_in`.
    """

    Config = ContentConfig

    numbers: Numbers
    vectors: Floats
    words: Mapping[str, int]
    weights: Floats
    components: Floats
    apart: bool = False

    @classmethod
    def joined(cls, parts: Mapping[str, Self], numbers: Numbers) -> Self:
        """The vectors of each partition's items, by the rarity of words in it: no word is of two."""
        own = list(parts.values())
        dimensions = max(part.components.shape[0] for part in own)
        rows = list(rows_among(numbers, (part.numbers for part in own)))
        return cls(
            numbers.copy(),
            in_rows(rows, [_widened(part.vectors, dimensions) for part in own], len(numbers)),
            joined_words({partition: part.words for partition, part in parts.items()}),
            np.concatenate([part.weights for part in own]),
            np.ascontiguousarray(np.concatenate([_widened(part.components.T, dimensions) for part in own]).T),
            apart=True,
        )

    def check(self) -> None:
        """Refuse vectors of other lengths, or such that are no numbers.

        Raises:
            ArtifactError: naming what is wrong.
        """
        require_numbers(self.numbers)
        require_columns(self.words, len(self.words))
        dimensions = self.components.shape[0] if self.components.ndim else 0
        require_shape("components", self.components.shape, (dimensions, len(self.words)))
        require_shape("vectors", self.vectors.shape, (len(self.numbers), dimensions))
        require_shape("weights", self.weights.shape, (len(self.words),))
        require_finite(vectors=self.vectors, weights=self.weights, components=self.components)

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that items are compared by."""
        return tuple(dict.fromkeys(word.partition("=")[0] for word in self.words))

    def embed(self, items: Iterable[Mapping[str, Iterable[str]]], partitions: Iterable[str | None] = ()) -> Floats:
        """(items, dimensions) unit vectors of items given as the terms of each field.

        Where users are kept apart, `partitions` (items,) are theirs; the words of an item without one are unknown.
        """
        documents = [[word for field, terms in item.items() for word in words_of(field, terms)] for item in items]
        if self.apart:
            documents = [
                [name_in(word, partition or "") for word in document]
                for document, partition in zip(documents, partitions, strict=True)
            ]
        if len(documents) == 1:
            return self._embed_one(documents[0])
        matrix = word_matrix(documents, self.words, self.weights)
        # Of all words only those that are there: a query has a handful of fifty thousand.
        used = np.unique(matrix.indices)
        return unit(np.asarray(matrix[:, used] @ self.components[:, used].T, np.float32))

    def _embed_one(self, document: Sequence[str]) -> Floats:
        """The same of one item, to the last bit: what takes a sparse matrix 170 microseconds takes this 20."""
        columns = sorted({self.words[word] for word in document if word in self.words})
        weights = self.weights[columns]
        # Both sums add one by one, as those of a sparse matrix do.
        squares = np.bincount(np.zeros(len(columns), np.intp), weights.astype(np.float64) ** 2, minlength=1)
        scaled = (weights / np.maximum(np.sqrt(squares), 1e-30)).astype(np.float32)
        vectors = np.ascontiguousarray(self.components[:, columns].T)
        return unit(np.add.reduce(vectors * scaled[:, None], axis=0, keepdims=True))


def _widened(vectors: Floats, dimensions: int) -> Floats:
    """With zeros for the dimensions that they lack."""
    return np.pad(vectors, ((0, 0), (0, dimensions - vectors.shape[1])))


def unit(vectors: Floats) -> Floats:
    """Rows scaled to length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Floats = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 1e-9)
    return scaled
