"""Neighbours by content, for items without events."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import numpy as np
import scipy.sparse as sp

from homefeed.kernels import compiled
from homefeed.retrieve.content.words import WordMatrix, check_fields, documents_of, matrix_of, weighed_words
from homefeed.retrieve.item_item.gram import both_ways, strongest
from homefeed.retrieve.item_item.kernels import Indices, Starts, in_parallel, joined_rows, largest
from homefeed.retrieve.item_item.matrix import Matrix, no_entries, rows_of
from homefeed.types import Floats, Mask, TrainingData

_NEIGHBOURS: Final = 50
_VOCABULARY: Final = 200_000
_COMMON: Final = 5_000


def neighbours_of_cold_items(data: TrainingData, fields: Mapping[str, float], without_events: Mask) -> Matrix:
    """(items, items) cosines of word vectors, of items without events and those most similar to them, both ways.

    Raises:
        HomefeedError: a field is not declared by the recipe.
    """
    if not without_events.any() or not data.terms:
        check_fields(data, fields, "item_item")
        return no_entries(data.item_count, data.item_count)
    return nearest_by_words(word_vectors(data, fields, "item_item"), without_events, _NEIGHBOURS)


def word_vectors(data: TrainingData, fields: Mapping[str, float], model: str) -> WordMatrix:
    """(items, words) of length 1, or 0 for items without any: by words weighed by inverse document frequency.

    Of the fields, or of all where none is named.

    Raises:
        HomefeedError: a field is not declared by the recipe.
    """
    weights = dict(fields) or dict.fromkeys(data.terms, 1.0)
    documents = documents_of(data, weights, model)
    return matrix_of(documents, *weighed_words(documents, weights, _VOCABULARY))


def nearest_by_words(vectors: WordMatrix, rows: Mask, neighbours: int) -> Matrix:
    """(items, items) cosines of vectors, of the chosen rows and those most similar to each, both ways.

    Words of more than two items and a tenth of all, or of more than 5,000, say too little about one item: they are
    left out.
    """
    vectors, count = _distinctive(vectors), len(rows)
    arguments = (*rows_of(vectors), *rows_of(sp.csr_array(vectors.T)))
    found = in_parallel(most_similar, (0, count), rows, *arguments, neighbours)
    starts, others, cosines = both_ways(*joined_rows(found))
    # An item that hundreds of others resemble keeps places for those that users share.
    cosines *= strongest(starts, cosines, neighbours)
    similar = sp.csr_array((cosines, others, starts), shape=(count, count))
    similar.eliminate_zeros()
    return similar


def _distinctive(vectors: Matrix) -> Matrix:
    """Without the words that too many items have: comparing by them costs most and says least."""
    max_items = min(_COMMON, max(vectors.shape[0] // 10, 1))
    frequency = np.bincount(vectors.indices, minlength=vectors.shape[1])
    kept = (frequency[vectors.indices] <= max(max_items, 2)).astype(np.float32)
    distinctive = sp.csr_array((vectors.data * kept, vectors.indices, vectors.indptr), shape=vectors.shape)
    distinctive.eliminate_zeros()
    return distinctive


@partial(compiled, nogil=True)
def most_similar(
    start: int,
    stop: int,
    rows: Mask,
    starts: Starts,
    words: Indices,
    weights: Floats,
    word_starts: Starts,
    word_items: Indices,
    word_weights: Floats,
    max_neighbours: int,
) -> tuple[Starts, Indices, Floats]:
    """Of each of the chosen rows of a CSR matrix the others of largest dot product, and that.

    The matrix is given by its rows and by its columns. Returns how many others each row has, then the others of
    all, by rising position for each, and the dot products.
    """
    counts = np.zeros(stop - start, np.int64)
    found = np.empty(rows[start:stop].sum() * max_neighbours, np.int32)
    found_sums = np.empty(len(found), np.float32)
    end = 0
    sums = np.zeros(len(rows), np.float32)
    reached_from = np.full(len(rows), -1, np.int32)
    touched = np.empty(len(rows), np.int32)
    for row in range(start, stop):
        if not rows[row]:
            continue
        reached = 0
        for entry in range(starts[row], starts[row + 1]):
            word, weight = words[entry], weights[entry]
            for place in range(word_starts[word], word_starts[word + 1]):
                other = word_items[place]
                if reached_from[other] != row:
                    reached_from[other] = row
                    sums[other] = 0
                    touched[reached] = other
                    reached += 1
                sums[other] += weight * word_weights[place]
        sums[row] = 0
        others = touched[:reached][::-1].copy()
        others = np.sort(others[largest(sums[others], max_neighbours)])
        for other in others:
            found[end], found_sums[end] = other, sums[other]
            end += 1
        counts[row - start] = len(others)
    return counts, found[:end].copy(), found_sums[:end].copy()
