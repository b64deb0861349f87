"""Fits the content model with scikit-learn."""

from __future__ import annotations

from collections import Counter

import numpy as np
from sklearn.decomposition import TruncatedSVD

from homefeed.errors import HomefeedError
from homefeed.retrieve.content.model import ContentConfig, ContentModel, unit, word_matrix, words_of
from homefeed.types import TrainingData


class ContentTrainer:
    """Latent semantic analysis (Deerwester et al., JASIS 1990) of the items' declared fields.

    A word's weight in an item is its field's weight times ln((1 + items) / (1 + items with it)) + 1; rows are
    scaled to length 1 and reduced to `dimensions` by randomised truncated SVD (Halko et al., SIAM Review 2011).
    """

    Config = ContentConfig

    def __init__(self, config: ContentConfig) -> None:
        self._config = config

    def fit(self, data: TrainingData) -> ContentModel:
        """Vectors of every item of the catalogue.

        Raises:
            HomefeedError: a configured field is not declared by the recipe.
        """
        documents = self._documents(data)
        frequency = Counter(word for document in documents for word in set(document))
        common = sorted(frequency, key=lambda word: (-frequency[word], word))[: self._config.vocabulary]
        words = {word: column for column, word in enumerate(sorted(common))}
        weights = np.array(
            [
                self._config.fields[word.partition("=")[0]]
                * (np.log((1 + data.item_count) / (1 + frequency[word])) + 1)
                for word in words
            ],
            np.float32,
        )
        matrix = word_matrix(documents, words, weights)
        dimensions = min(self._config.dimensions, *matrix.shape)
        if dimensions < 1 or len(words) < 2:  # nothing to reduce
            components = np.ones((1, len(words)), np.float32)
        else:
            svd = TruncatedSVD(dimensions, random_state=data.seed, n_iter=4)
            # It divides by the variance for a statistic that nobody asks for; like items have none.
            with np.errstate(invalid="ignore", divide="ignore"):
                svd.fit(matrix)
            components = np.ascontiguousarray(svd.components_, np.float32)
        vectors = unit(np.asarray(matrix @ components.T, np.float32))
        return ContentModel(data.numbers, vectors, words, weights, components)

    def _documents(self, data: TrainingData) -> list[list[str]]:
        unknown = sorted(set(self._config.fields) - set(data.terms))
        if unknown:
            raise HomefeedError(
                f'content: no field "{unknown[0]}"; expected some of {", ".join(sorted(data.terms))}'
            )
        documents: list[list[str]] = [[] for _ in range(data.item_count)]
        for field in self._config.fields:
            for document, terms in zip(documents, data.terms[field], strict=True):
                document.extend(words_of(field, terms))
        return documents
