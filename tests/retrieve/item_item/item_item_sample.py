"""Events, matrices and models of item-item that are small enough to be computed densely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

from homefeed.retrieve.item_item.gram import Gram
from homefeed.retrieve.item_item.matrix import Matrix
from homefeed.retrieve.item_item.model import ItemItemModel
from homefeed.testing.world import NOW
from homefeed.types import Interactions, TrainingData

Events: TypeAlias = Sequence[tuple[int, int, float]]
Dense: TypeAlias = npt.NDArray[np.float64]

tables = st.tuples(st.integers(1, 8), st.integers(1, 7)).flatmap(
    lambda shape: numpy_strategies.arrays(np.float64, shape, elements=st.sampled_from([0, 0, 0.5, 1, 2]))
)
"""(users, items) strengths, 0 where a user did nothing to an item."""


def data_of(
    events: Events,
    users: int,
    items: int,
    *,
    times: Sequence[int] | None = None,
    terms: Mapping[str, Sequence[tuple[str, ...]]] | None = None,
) -> TrainingData:
    """Events as (user, item, strength), all of one moment unless times are given."""
    columns = tuple(zip(*events, strict=True)) or ((), (), ())
    interactions = Interactions(
        np.array(columns[0], np.int32),
        np.array(columns[1], np.int32),
        np.zeros(len(events), np.int32),
        np.zeros(len(events), np.float32),
        np.array(columns[2], np.float32),
        np.array([NOW] * len(events) if times is None else times, np.int64),
    )
    return TrainingData(interactions, users, np.arange(items, dtype=np.int32), terms or {}, NOW)


def data_of_table(table: Dense, **more: Any) -> TrainingData:
    """An event of each user and item whose strength is not 0."""
    users, items = np.nonzero(table)
    strengths = table[users, items].tolist()
    events = list(zip(users.tolist(), items.tolist(), strengths, strict=True))
    return data_of(events, *table.shape, **more)


def random_table(seed: int, users: int, items: int, density: float = 0.4) -> Dense:
    """Strengths without ties, so that nothing hangs on who comes first."""
    rng = np.random.default_rng(seed)
    table: Dense = rng.uniform(0.5, 2, (users, items)) * (rng.random((users, items)) < density)
    return table


def matrix_of(table: Dense) -> Matrix:
    """As the views take it."""
    return sp.csr_array(table.astype(np.float32))


def dense_gram(table: Dense, user_exponent: float) -> Dense:
    """(items, items) the sum over users of w(u) r(u, i) r(u, j), with the diagonal."""
    totals = table.sum(axis=1)
    weights = np.where(totals > 0, totals, 1) ** -user_exponent
    gram: Dense = np.einsum("u,ui,uj->ij", weights, table, table)
    return gram


def cosines_of(gram: Dense) -> Dense:
    """(items, items) of a Gram matrix; -1 of an item with itself."""
    length = np.sqrt(np.where(gram.diagonal() > 0, gram.diagonal(), 1))
    cosines: Dense = np.where(np.eye(len(gram)) > 0, -1, gram / np.outer(length, length))
    return cosines


def is_clear(cosines: Dense, most: int) -> bool:
    """Whether no two items are equally near where the `most` nearest of an item end."""
    ordered = -np.sort(-cosines, axis=1)
    inside, outside = ordered[:, most - 1 : most], ordered[:, most : most + 1]
    return not outside.size or bool(((inside - outside > 1e-5) | (inside <= 0)).all())


def dense_of(gram: Gram) -> Dense:
    """(items, items) without the diagonal."""
    return gram.matrix(gram.shared).toarray().astype(np.float64)


def common_users(table: Dense) -> npt.NDArray[np.int64]:
    """(items, items) how many users two items share; 0 on the diagonal."""
    counts = (table > 0).T.astype(np.int64) @ (table > 0)
    np.fill_diagonal(counts, 0)
    return counts


def neighbours(model: ItemItemModel, row: int) -> dict[int, float]:
    """The neighbour list of an item, in its order."""
    part = slice(model.indptr[row], model.indptr[row + 1])
    return dict(zip(model.indices[part].tolist(), model.weights[part].tolist(), strict=True))


def weights_of(model: ItemItemModel) -> Dense:
    """(items, items) from items of a history to items to propose."""
    size = len(model.numbers)
    matrix = sp.csr_array((model.weights, model.indices, model.indptr), shape=(size, size))
    return matrix.toarray().astype(np.float64)
