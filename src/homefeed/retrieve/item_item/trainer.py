"""Fits the item-item model: a sparse, degree-normalised cosine in closed form."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from homefeed.catalog.signals import Doubles
from homefeed.retrieve.item_item.model import ItemItemConfig, ItemItemModel
from homefeed.types import Floats, TrainingData

_ROWS_AT_ONCE = 1_000


class ItemItemTrainer:
    """Similarity of items from who engaged with both.

    With r(u, i) the user's strength for the item (summed, at most 1), w(u) = (sum over i of r)^-user_exponent
    and d(i) = sum over u of r, the similarity of i and j is

        (sum over u of w(u) r(u, i) r(u, j) / (d(i) d(j) + shrinkage^2)^item_exponent)^power

    With exponents of 0.5 for items and 0 for users it is the cosine of Sarwar et al., "Item-based collaborative
    filtering recommendation algorithms" (WWW 2001); damping busy users and popular items by less or more than
    the cosine does, follows Deshpande & Karypis, "Item-based top-N recommendation algorithms" (TOIS 2004).
    """

    Config = ItemItemConfig

    def __init__(self, config: ItemItemConfig) -> None:
        self._config = config

    def fit(self, data: TrainingData) -> ItemItemModel:
        """Neighbour lists of every item that has events; O(sum over users of their items squared)."""
        matrix = _matrix(data)
        config = self._config
        user_sum: Doubles = np.asarray(matrix.sum(axis=1)).ravel()
        item_sum: Doubles = np.asarray(matrix.sum(axis=0)).ravel()
        weight = np.power(user_sum, -config.user_exponent, where=user_sum > 0, out=np.zeros_like(user_sum))
        by_item = sp.csr_array(matrix.T)
        weighted = sp.csr_array(sp.diags_array(weight) @ matrix)
        parts = []
        for start in range(0, data.item_count, _ROWS_AT_ONCE):
            block = sp.csr_array(by_item[start : start + _ROWS_AT_ONCE] @ weighted)
            parts.append(self._neighbours(block, start, item_sum))
        if not parts:
            return ItemItemModel(
                data.numbers, np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32)
            )
        counts, indices, weights = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        indptr = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return ItemItemModel(data.numbers, indptr, indices, weights)

    def _neighbours(
        self, block: sp.csr_array[np.float64], start: int, item_sum: Doubles
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int32], Floats]:
        """The strongest neighbours of a block of items: how many of each, which, how similar."""
        config = self._config
        rows = np.repeat(np.arange(block.shape[0]), np.diff(block.indptr))
        columns = block.indices
        scale = (item_sum[rows + start] * item_sum[columns] + config.shrinkage**2) ** config.item_exponent
        similar = np.power(block.data / scale, config.power).astype(np.float32)
        others = (columns != rows + start) & (similar > 0)
        rows, columns, similar = rows[others], columns[others], similar[others]
        order = np.lexsort((columns, -similar, rows))
        rows, columns, similar = rows[order], columns[order], similar[order]
        first = np.searchsorted(rows, np.arange(block.shape[0] + 1))
        kept = np.arange(len(rows)) - first[rows] < config.neighbours
        return np.bincount(rows[kept], minlength=block.shape[0]), columns[kept].astype(np.int32), similar[kept]


def _matrix(data: TrainingData) -> sp.csr_array[np.float64]:
    """(users, items) strengths, summed over a pair's events and capped at 1; dislikes left out."""
    events = data.interactions
    liked = events.strengths > 0
    shape = (data.user_count, data.item_count)
    matrix = sp.csr_array(
        (events.strengths[liked].astype(np.float64), (events.users[liked], events.items[liked])), shape=shape
    )
    matrix.sum_duplicates()
    matrix.data = np.minimum(matrix.data, 1.0)
    return matrix
