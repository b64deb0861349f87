"""Two views of which items belong together, each a sparse matrix from items of a history to items to propose."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from homefeed.retrieve.item_item.gram import Gram, strongest
from homefeed.retrieve.item_item.kernels import in_parallel, local_ridge
from homefeed.retrieve.item_item.matrix import Matrix, sums


def damped_cosine(gram: Gram, matrix: Matrix, item_exponent: float, power: float, shrinkage: float) -> Matrix:
    """(G(i, j) / (d(i) d(j) + shrinkage))^power, with d(i) = (sum over users of r)^item_exponent.

    Where all events are as strong, exponents of 0.5 for items and 0 for users, a power of 1 and no shrinkage make
    it the cosine of Sarwar et al., "Item-based collaborative filtering recommendation algorithms" (WWW 2001); to
    damp busy users and popular items by less or more than that follows Deshpande & Karypis, "Item-based top-N
    recommendation algorithms" (TOIS 2004).
    """
    degree = sums(matrix, axis=0) ** np.float32(item_exponent)
    damped = gram.shared / (degree[gram.rows] * degree[gram.others] + np.float32(shrinkage))
    return gram.matrix(np.asarray(damped ** np.float32(power), np.float32))


def ridge(gram: Gram, neighbours: int, penalty: float) -> Matrix:
    """Weights that foresee each item from its `neighbours` nearest by cosine: (G + penalty I)^-1 g, locally.

    The closed form of EASE (Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019) solved item by
    item on its nearest ones, as SLIM with neighbourhood selection does (Ning & Karypis, "SLIM", ICDM 2011,
    section 4.3). Weights may be negative: an item that stands for another already counted.
    """
    length = np.sqrt(gram.own)
    nearest = _nearest(gram, gram.shared / (length[gram.rows] * length[gram.others]), neighbours)
    weights = np.zeros(nearest.shape, np.float32)
    in_parallel(
        local_ridge,
        (0, len(gram)),
        *(gram.starts, gram.others, gram.shared, gram.own, nearest, np.float32(penalty), weights),
    )
    there = (nearest >= 0) & np.isfinite(weights)
    items = np.repeat(np.arange(len(gram), dtype=np.int32), there.sum(axis=1))
    return sp.csr_array((weights[there], (nearest[there], items)), shape=(len(gram), len(gram)))


def _nearest(gram: Gram, similarity: np.ndarray, max_neighbours: int) -> np.ndarray:
    """(items, max_neighbours) the nearest of each item, -1 behind the last."""
    entries = np.flatnonzero(strongest(gram.starts, similarity, max_neighbours))
    rows = gram.rows[entries]
    place = np.arange(len(entries)) - np.searchsorted(rows, rows)
    nearest = np.full((len(gram), max_neighbours), -1, np.int32)
    nearest[rows, place] = gram.others[entries]
    return nearest
