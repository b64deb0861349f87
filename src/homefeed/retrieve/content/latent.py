"""Items by the words they share: TF-IDF reduced by truncated SVD, without a text model and without a trainer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from homefeed.retrieve.content.model import unit
from homefeed.retrieve.content.words import WordMatrix, documents_of, matrix_of, weighed_words
from homefeed.retrieve.item_item.spectral import leading_directions
from homefeed.types import Floats, TrainingData


def latent_vectors(data: TrainingData, fields: Mapping[str, float], vocabulary: int, dimensions: int) -> Floats:
    """(items, dimensions or fewer) unit vectors by the words of some fields, 0 where an item has none of them.

    Raises:
        HomefeedError: a field is not declared by the recipe.
    """
    documents = documents_of(data, fields, "content")
    words, weights = weighed_words(documents, fields, vocabulary)
    matrix = matrix_of(documents, words, weights)
    return unit(np.asarray(matrix @ latent_components(matrix, dimensions, data.seed).T, np.float32))


def latent_components(matrix: WordMatrix, dimensions: int, seed: int) -> Floats:
    """(dimensions or fewer, words) by which items (items, words) are reduced to what they have in common.

    Randomised truncated SVD (Halko et al., SIAM Review 2011), which is latent semantic analysis (Deerwester et
    al., JASIS 1990).
    """
    dimensions = min(dimensions, *matrix.shape)
    if dimensions < 1 or matrix.shape[1] < 2 or not matrix.nnz:  # nothing to reduce
        return np.ones((1, matrix.shape[1]), np.float32)
    found = leading_directions(matrix, dimensions, np.random.default_rng(seed))
    components = np.zeros((len(found.values), matrix.shape[1]), np.float32)
    components[:, found.columns] = found.vectors(slice(None)).T
    return components
