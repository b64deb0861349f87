"""Fits the content model: words get their vectors from the catalogue itself, or from a text model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import numpy as np

from homefeed.catalog.signals import Doubles
from homefeed.retrieve.content.embedding import NO_TEXT_MODEL, Encode, load_text_model
from homefeed.retrieve.content.latent import latent_components
from homefeed.retrieve.content.model import ContentConfig, ContentModel, unit
from homefeed.retrieve.content.words import WordMatrix, documents_of, matrix_of, weighed_words
from homefeed.types import Floats, TrainingData

_BLOCK: Final = 8_192
_ENOUGH_ITEMS: Final = 100
_LEANING: Final = 0.2


class ContentTrainer:
    """A word's weight in an item is its field's weight times ln((1 + items) / (1 + items with it)) + 1.

    Rows of such weights are scaled to length 1. Without a text model they are reduced to `dimensions`, see
    `latent_components`. With one an item is the sum of the text model's vectors of its words, see `from_texts`.
    """

    Config = ContentConfig

    def __init__(self, config: ContentConfig) -> None:
        self._config = config

    def fit(self, data: TrainingData) -> ContentModel:
        """Vectors of every item of the catalogue.

        Raises:
            HomefeedError: a configured field is not declared by the recipe, or the text model cannot be used.
        """
        documents = documents_of(data, self._config.fields, "content")
        named = self._config.text_model
        encode = None if named in (None, NO_TEXT_MODEL) else load_text_model(str(named))
        words, weights = weighed_words(documents, self._config.fields, self._config.max_words)
        matrix = matrix_of(documents, words, weights)
        if encode is None:
            components = latent_components(matrix, self._config.dimensions, data.seed)
        else:
            components = from_texts(encode, words, matrix, self._config.dimensions)
        vectors = unit(np.asarray(matrix @ components.T, np.float32))
        return ContentModel(data.numbers, vectors, words, weights, components)


def from_texts(encode: Encode, words: Mapping[str, int], matrix: WordMatrix, dimensions: int) -> Floats:
    """(dimensions or fewer, words): the text model's unit vectors of words, turned to the items' main directions.

    With the weights of `matrix` (items, words) that makes the sentence embeddings of Arora, Liang and Ma ("A
    Simple but Tough-to-Beat Baseline for Sentence Embeddings", ICLR 2017) with idf for their frequency weights:
    weighted sums of word vectors without the first principal component of all, which all items have in common and
    so separates none. That one and those beyond `dimensions` are left out. Whole terms are words, too: a text's is
    the model's own embedding of it.
    """
    if not words:
        return np.ones((1, 0), np.float32)
    vectors = encoded(encode, words)
    gram = np.zeros((vectors.shape[1],) * 2)
    for items in _items(matrix, vectors):
        gram += items.T @ items

    def leanings(direction: Floats) -> Floats:
        return np.concatenate([leanings_of(items, direction) for items in _items(matrix, vectors)])

    return turned(vectors, gram, leanings, dimensions)


def turned(vectors: Floats, gram: Doubles, leanings: Callable[[Floats], Floats], dimensions: int) -> Floats:
    """(dimensions or fewer, words): vectors of words turned to the main directions of items, by their `gram`.

    `leanings` tells how much each item leans to a direction.
    """
    lengths, directions = np.linalg.eigh(gram)
    lengths, directions = lengths[::-1], directions[:, ::-1].astype(np.float32)
    several = len(lengths) > 1 and lengths[1] > 1e-4 * lengths[0]
    skip = int(several and _is_common(leanings(directions[:, 0])))
    return np.ascontiguousarray((vectors @ directions[:, skip : skip + dimensions]).T)


def leanings_of(items: Floats, direction: Floats) -> Floats:
    """The cosine of each item's vector and a direction, of those that have one."""
    leanings: Floats = (items @ direction)[items.any(axis=1)]
    return leanings


def encoded(encode: Encode, words: Mapping[str, int]) -> Floats:
    """(words, dimensions of the text model), a word of several fields encoded once."""
    plain = [word.partition("=")[2] for word in words]
    texts = sorted(set(plain))
    row_of = {text: row for row, text in enumerate(texts)}
    return unit(encode(texts))[[row_of[text] for text in plain]]


def _is_common(leanings: Floats) -> bool:
    """Whether nine in ten items lean to the first direction, by a cosine of 0.2 or more, and all to one side.

    Else it is a subject that many items share, and so it may be where items are few: to take it from them would
    leave nothing of them.
    """
    if len(leanings) < _ENOUGH_ITEMS:
        return False
    return bool(np.quantile(leanings * np.sign(leanings.sum()), 0.1) >= _LEANING)


def _items(matrix: WordMatrix, vectors: Floats) -> Iterator[Floats]:
    """Unit vectors of all items, a block at a time: those of a text model are long."""
    for start in range(0, matrix.shape[0], _BLOCK):
        yield unit(np.asarray(matrix[start : start + _BLOCK] @ vectors, np.float32))
