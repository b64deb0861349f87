"""Who engaged with what, as a sparse matrix."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from homefeed.types import Floats, TrainingData

Matrix: TypeAlias = "sp.csr_array[np.float32]"


def strengths_of(data: TrainingData, max_items_per_user: int) -> Matrix:
    """(users, items) the strength of each pair's strongest event, 1 on average; dislikes left out.

    Of a user with more items than `max_items_per_user` the latest count: the work grows with their square.
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
    kept = newest[np.arange(len(newest)) - starts < max_items_per_user]
    mean = strengths[kept].astype(np.float64).mean() if len(kept) else np.float64(1)
    entries = scaled(strengths[kept], mean), (users[kept], items[kept])
    matrix = sp.csr_array(entries, shape=(data.user_count, data.item_count))
    matrix.sort_indices()
    return matrix


def scaled(strengths: Floats, mean: np.float64) -> Floats:
    """1 on average, and no less than 0.001: powers of hardly anything would leave the range of floats."""
    return np.maximum(strengths / mean, 1e-3).astype(np.float32)


def rows_of(matrix: Matrix) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], Floats]:
    """Starts, columns and values of the rows, of the types that compiled loops take."""
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32, copy=False), matrix.data


def no_entries(rows: int, columns: int) -> Matrix:
    """A matrix of zeros."""
    nowhere = np.empty(0, np.int32)
    return sp.csr_array((np.empty(0, np.float32), (nowhere, nowhere)), shape=(rows, columns))


def sums(matrix: Matrix, axis: int) -> Floats:
    """Total strength by item (axis 0) or by user (axis 1), 1 where there is none."""
    found = np.asarray(matrix.sum(axis=axis, dtype=np.float64)).ravel()
    return np.where(found > 0, found, 1).astype(np.float32)
