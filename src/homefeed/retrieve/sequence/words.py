"""What items have in common by their words."""

from __future__ import annotations

import numpy as np

from homefeed.retrieve.content.words import WordMatrix
from homefeed.retrieve.item_item.cold_items import nearest_by_words
from homefeed.retrieve.item_item.gram import Gram
from homefeed.retrieve.item_item.kernels import in_parallel
from homefeed.retrieve.item_item.matrix import Matrix, no_entries, rows_of
from homefeed.retrieve.sequence.kernels import products_of_words
from homefeed.types import Floats, Mask


def cosines(gram: Gram, vectors: WordMatrix) -> Floats:
    """Of the items of each entry of the Gram matrix."""
    products = np.empty_like(gram.shared)
    pairs, words = (gram.starts, gram.others), (*rows_of(vectors), vectors.shape[1])
    in_parallel(products_of_words, (0, len(gram)), *pairs, *words, products)
    return products


def nearest_elsewhere(gram: Gram, vectors: WordMatrix, neighbours: int) -> Matrix:
    """(items, items) cosines of the items nearest by words, both ways, where the Gram matrix has no entry."""
    if not neighbours:
        return no_entries(len(gram), len(gram))
    everywhere: Mask = np.ones(len(gram), np.bool_)
    near = nearest_by_words(vectors, everywhere, neighbours)
    rows = np.repeat(np.arange(len(gram), dtype=np.int64), np.diff(near.indptr))
    keys, shared = rows * len(gram) + near.indices, gram.rows * np.int64(len(gram)) + gram.others
    near.data[np.isin(keys, shared, assume_unique=True)] = 0
    near.eliminate_zeros()
    return near
