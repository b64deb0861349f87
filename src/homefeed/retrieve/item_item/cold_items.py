"""Neighbours by content, for items that nobody engaged with yet."""

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
    """(items, items) cosines of the word vectors of items without events and of those most like them, both ways.

    Words are weighed by inverse document frequency, as in the content model; those of more than two items and a
    tenth of all, or of more than 5,000, say too little of one item to be worth comparing by: they add nothing.

    Raises:
        HomefeedError: a field is not declared by the recipe.
    """
    weights = dict(fields) or dict.fromkeys(data.terms, 1.0)
    documents = documents_of(data, weights, "item_item")
    shape = data.item_count, data.item_count
    found: list[Matrix] = [no_entries(0, data.item_count)]
    asked = np.flatnonzero(without_events)
    if len(asked) and weights:
        vectors = _telling(word_matrix(documents, *weighed_words(documents, weights, _VOCABULARY)))
        by_word = sp.csr_array(vectors.T)
        for start in range(0, len(asked), _ROWS_AT_ONCE):
            found.append(_most_alike(vectors, by_word, asked[start : start + _ROWS_AT_ONCE]))
    alike = sp.coo_array(sp.vstack(found))
    rows, others = asked[alike.coords[0]], alike.coords[1]
    one_way = sp.csr_array((alike.data, (rows, others)), shape=shape)
    both_ways = sp.csr_array(one_way.maximum(one_way.T))
    # Else an item that hundreds of new ones resemble would have no place for those people share.
    return _thinned(both_ways)


def _telling(vectors: Matrix) -> Matrix:
    """Without the words that too many items have: comparing by them costs most and tells least."""
    most = min(_COMMON, max(vectors.shape[0] // 10, 1))
    frequency = np.bincount(vectors.indices, minlength=vectors.shape[1])
    kept = (frequency[vectors.indices] <= max(most, 2)).astype(np.float32)
    telling = sp.csr_array((vectors.data * kept, vectors.indices, vectors.indptr), shape=vectors.shape)
    telling.eliminate_zeros()
    return telling


def _most_alike(vectors: Matrix, by_word: Matrix, asked: np.ndarray) -> Matrix:
    cosines = sp.csr_array(vectors[asked] @ by_word)
    own = np.repeat(asked, np.diff(cosines.indptr)) == cosines.indices
    cosines.data[own] = 0
    return _thinned(cosines)


def _thinned(cosines: Matrix) -> Matrix:
    """With no more than the most alike of each row."""
    cosines.data *= strongest(cosines.indptr.astype(np.int64), cosines.data, _NEIGHBOURS)
    cosines.eliminate_zeros()
    return cosines
