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

    With r(u, i) the strongest of the user's events of the item, w(u) = (sum over i of r)^-user_exponent and
    d(i) = (sum over u of r)^item_exponent, the similarity of i and j is

        (sum over u of w(u) r(u, i) r(u, j) / (d(i) d(j) + shrinkage))^power

    With exponents of 0.5 for items and 0 for users it is the cosine of Sarwar et al., "Item-based collaborative
    filtering recommendation algorithms" (WWW 2001); to damp busy users and popular items by less or more than
    the cosine does follows Deshpande & Karypis, "Item-based top-N recommendation algorithms" (TOIS 2004).
    """

    Config = ItemItemConfig

    def __init__(self, config: ItemItemConfig) -> None:
        self._config = config

    def fit(self, data: TrainingData) -> ItemItemModel:
        """Neighbour lists of every item that has events; O(sum over users of their items squared)."""
        config = self._config
        matrix = _matrix(data, config.items_per_user)
        user_sum: Doubles = np.asarray(matrix.sum(axis=1)).ravel()
        item_sum: Doubles = np.asarray(matrix.sum(axis=0)).ravel()
        weight = np.power(user_sum, -config.user_exponent, where=user_sum > 0, out=np.zeros_like(user_sum))
        degree = item_sum**config.item_exponent
        by_item = sp.csr_array(matrix.T)
        weighted = sp.csr_array(sp.diags_array(weight) @ matrix)
        indptr, indices, weights = [0], [np.zeros(0, np.int32)], [np.zeros(0, np.float32)]
        for start in range(0, data.item_count, _ROWS_AT_ONCE):
            block = sp.csr_array(by_item[start : start + _ROWS_AT_ONCE] @ weighted)
            if config.least_users > 1:
                block = _shared_by(block, by_item[start : start + _ROWS_AT_ONCE], matrix, config.least_users)
            for row in range(block.shape[0]):
                span = slice(block.indptr[row], block.indptr[row + 1])
                neighbours, similarity = self._nearest(start + row, block.indices[span], block.data[span], degree)
                indices.append(neighbours)
                weights.append(similarity)
                indptr.append(indptr[-1] + len(neighbours))
        return ItemItemModel(
            data.numbers, np.array(indptr, np.int64), np.concatenate(indices), np.concatenate(weights)
        )

    def _nearest(
        self, item: int, others: npt.NDArray[np.int32], shared: Doubles, degree: Doubles
    ) -> tuple[npt.NDArray[np.int32], Floats]:
        """The item's strongest neighbours, strongest first, from what it shares with each of the others."""
        config = self._config
        strength = shared / (degree[item] * degree[others] + config.shrinkage)
        strength[others == item] = 0
        if len(strength) > config.neighbours:
            best = np.argpartition(-strength, config.neighbours)[: config.neighbours]
            others, strength = others[best], strength[best]
        order = np.lexsort((others, -strength))
        order = order[strength[order] > 0]
        return others[order].astype(np.int32), (strength[order] ** config.power).astype(np.float32)


def _shared_by(
    block: sp.csr_array[np.float64],
    by_item: sp.csr_array[np.float64],
    matrix: sp.csr_array[np.float64],
    least: int,
) -> sp.csr_array[np.float64]:
    """The block without the pairs of items that fewer than `least` users share."""
    shared = sp.csr_array((by_item > 0).astype(np.int32) @ (matrix > 0).astype(np.int32))
    return sp.csr_array(block.multiply(shared >= least))


def _matrix(data: TrainingData, items_per_user: int) -> sp.csr_array[np.float64]:
    """(users, items) the strength of each pair's strongest event; dislikes left out.

    Of a user with more items than `items_per_user` the latest count: the work grows with their square.
    """
    events = data.interactions.take(data.interactions.strengths > 0)
    order = np.lexsort((-events.strengths, events.items, events.users))
    users, items, strengths = events.users[order], events.items[order], events.strengths[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (users[1:] != users[:-1]) | (items[1:] != items[:-1])
    latest = np.maximum.reduceat(events.times[order], np.flatnonzero(first)) if len(order) else events.times
    users, items, strengths = users[first], items[first], strengths[first]
    newest = np.lexsort((-latest, users))
    starts = np.searchsorted(users[newest], users[newest])
    kept = newest[np.arange(len(newest)) - starts < items_per_user]
    entries = strengths[kept].astype(np.float64), (users[kept], items[kept])
    return sp.csr_array(entries, shape=(data.user_count, data.item_count))
