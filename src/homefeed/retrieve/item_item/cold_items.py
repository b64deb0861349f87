"""Neighbours by content, for items without events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import scipy.sparse as sp

from homefeed.retrieve.content.words import documents_of, weighed_words, word_matrix
from homefeed.retrieve.item_item.gram import strongest
from homefeed.retrieve.item_item.matrix import Matrix, no_entries
from homefeed.types import Mask, TrainingData

_NEIGHBOURS: Final = 50
_VOCABULARY: Final = 200_000
_COMMON: Final = 5_000
_ROWS_AT_ONCE: Final = 512


def neighbours_of_cold_items(data: TrainingData, fields: Mapping[str, float], without_events: Mask) -> Matrix:
    """(items, items) cosines of word vectors, of items without events and those most similar to them, both ways.

    Words are weighed by inverse document frequency, as in the content model; those of more than two items and a
    tenth of all, or of more than 5,000, say too little about one item: they are left out.

    Raises:
        HomefeedError: a field is not declared by the recipe.
    """
    weights = dict(fields) or dict.fromkeys(data.terms, 1.0)
    documents = documents_of(data, weights, "item_item")
    shape = data.item_count, data.item_count
    found: list[Matrix] = [no_entries(0, data.item_count)]
    cold = np.flatnonzero(without_events)
    if len(cold) and weights:
        vectors = _distinctive(word_matrix(documents, *weighed_words(documents, weights, _VOCABULARY)))
        by_word = sp.csr_array(vectors.T)
        for start in range(0, len(cold), _ROWS_AT_ONCE):
            found.append(_most_similar(vectors, by_word, cold[start : start + _ROWS_AT_ONCE]))
    similar = sp.coo_array(sp.vstack(found))
    rows, others = cold[similar.coords[0]], similar.coords[1]
    one_way = sp.csr_array((similar.data, (rows, others)), shape=shape)
    both_ways = sp.csr_array(one_way.maximum(one_way.T))
    # An item that hundreds of cold ones resemble keeps places for those that users share.
    return _thinned(both_ways)


def _distinctive(vectors: Matrix) -> Matrix:
    """Without the words that too many items have: comparing by them costs most and says least."""
    max_items = min(_COMMON, max(vectors.shape[0] // 10, 1))
    frequency = np.bincount(vectors.indices, minlength=vectors.shape[1])
    kept = (frequency[vectors.indices] <= max(max_items, 2)).astype(np.float32)
    distinctive = sp.csr_array((vectors.data * kept, vectors.indices, vectors.indptr), shape=vectors.shape)
    distinctive.eliminate_zeros()
    return distinctive


def _most_similar(vectors: Matrix, by_word: Matrix, rows: np.ndarray) -> Matrix:
    cosines = sp.csr_array(vectors[rows] @ by_word)
    own = np.repeat(rows, np.diff(cosines.indptr)) == cosines.indices
    cosines.data[own] = 0
    return _thinned(cosines)


def _thinned(cosines: Matrix) -> Matrix:
    """With the most similar of each row only."""
    cosines.data *= strongest(cosines.indptr.astype(np.int64), cosines.data, _NEIGHBOURS)
    cosines.eliminate_zeros()
    return cosines
