"""Fits the model of similar items: TF-IDF vectors, and the nearest of each by cosine."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from homefeed.retrieve.content.words import check_fields, documents_of, matrix_of, weighed_words
from homefeed.retrieve.similar.model import SimilarConfig, SimilarModel
from homefeed.retrieve.similar.nearest import nearest
from homefeed.retrieve.similar.texts import Marks, duplicate_mark_of, mark_of
from homefeed.types import TrainingData


class SimilarTrainer:
    """The similarity of two items is the cosine of the vectors of their words (Salton, Wong & Yang, "A vector
    space model for automatic indexing", CACM 1975).

    A word weighs its field's weight times ln((1 + items) / (1 + items with it)) + 1, however often an item has it.
    """

    Config = SimilarConfig

    def __init__(self, config: SimilarConfig) -> None:
        self._config = config

    def fit(self, data: TrainingData) -> SimilarModel:
        """The most similar items of every item of the catalogue.

        Raises:
            HomefeedError: a configured field is not declared by the recipe.
        """
        config = self._config
        same = config.duplicate_fields or tuple(config.fields)
        check_fields(data, [*config.fields, *same], "similar")
        documents = documents_of(data, config.fields, "similar")
        words, weights = weighed_words(documents, config.fields, config.max_words)
        vectors = matrix_of(documents, words, weights)
        del documents
        compared = dict.fromkeys((*config.fields, *same))
        marks = _column([mark_of(terms) for terms in zip(*(data.terms[name] for name in compared), strict=True)])
        duplicates = _column(
            [duplicate_mark_of(terms) for terms in zip(*(data.terms[name] for name in same), strict=True)]
        )
        starts, indices, cosines = nearest(vectors, duplicates, config.neighbours, config.min_similarity)
        by_word = sp.csr_array(vectors.T)
        return SimilarModel(
            data.numbers,
            starts,
            indices,
            cosines,
            word_starts=by_word.indptr.astype(np.int32),
            word_items=by_word.indices.astype(np.int32),
            word_values=by_word.data,
            word_weights=weights,
            marks=marks,
            duplicates=duplicates,
            words=words,
            fields=config.fields,
            duplicate_fields=same,
            neighbours=config.neighbours,
            min_similarity=config.min_similarity,
        )


def _column(marks: list[int]) -> Marks:
    return np.array(marks, np.int64)
