"""Two views of which items belong together, as values of the Gram matrix's entries."""

from __future__ import annotations

import numpy as np

from homefeed.retrieve.item_item.gram import Gram
from homefeed.retrieve.item_item.gram_kernels import half_of_pairs
from homefeed.retrieve.item_item.kernels import in_parallel, joined_rows
from homefeed.retrieve.item_item.view_kernels import local_ridge
from homefeed.types import Floats


def damped_cosine(gram: Gram, totals: Floats, item_exponent: float, power: float, shrinkage: float) -> Floats:
    """(G(i, j) / (d(i) d(j) + shrinkage))^power, with d(i) = totals(i)^item_exponent, the sums over users of r.

    Where all events are as strong, exponents of 0.5 for items and 0 for users, a power of 1 and no shrinkage make
    it the cosine of Sarwar et al., "Item-based collaborative filtering recommendation algorithms" (WWW 2001); to
    damp busy users and popular items by less or more than that follows Deshpande & Karypis, "Item-based top-N
    recommendation algorithms" (TOIS 2004).
    """
    degree = totals ** np.float32(item_exponent)
    values = np.empty_like(gram.shared)
    for rows, entries in gram.blocks():
        of_row = np.repeat(degree[rows], np.diff(gram.starts[rows.start : rows.stop + 1]))
        damped = gram.shared[entries] / (of_row * degree[gram.others[entries]] + np.float32(shrinkage))
        values[entries] = damped ** np.float32(power)
    return values


def ridge(gram: Gram, neighbours: int, penalty: float) -> Floats:
    """Weights that foresee each item from its `neighbours` nearest by cosine: (G + penalty I)^-1 g, locally.

    The closed form of EASE (Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019) solved item by
    item on its nearest ones, as SLIM with neighbourhood selection does (Ning & Karypis, "SLIM", ICDM 2011,
    section 4.3). Weights may be negative: an item that stands for another already counted.
    """
    weights = np.zeros_like(gram.shared)
    rows, entries = (0, len(gram)), (gram.starts, gram.others, gram.shared)
    half = joined_rows(in_parallel(half_of_pairs, rows, *entries))
    settings = (neighbours, np.float32(penalty))
    in_parallel(local_ridge, rows, *entries, *half, gram.own, np.sqrt(gram.own), *settings, weights)
    return weights
