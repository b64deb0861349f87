"""Models that say what comes next: each is fitted to training data and scores all items for histories."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.linalg import lapack
from threadpoolctl import threadpool_limits

from benchmarks.cf.histories import Items
from homefeed.retrieve.item_item.model import ItemItemConfig, ItemItemModel
from homefeed.retrieve.item_item.trainer import ItemItemTrainer
from homefeed.retrieve.sequence.model import SequenceConfig
from homefeed.retrieve.sequence.trainer import SequenceTrainer
from homefeed.types import DAY, TrainingData

Scores: TypeAlias = npt.NDArray[np.float32]
Scorer: TypeAlias = Callable[[Sequence[Items]], Scores]
"""From histories, oldest first, to the scores (histories, items)."""
Fit: TypeAlias = Callable[..., Scorer]

_WEEK: Final = 7 * DAY


def popular(data: TrainingData) -> Scorer:
    """What most users have."""
    return _same_for_all(np.bincount(data.interactions.items, minlength=data.item_count))


def popular_7_days(data: TrainingData) -> Scorer:
    """What was chosen most in the last seven days."""
    events = data.interactions
    recent = events.items[events.times >= data.now - _WEEK]
    return _same_for_all(np.bincount(recent, minlength=data.item_count))


def item_item(data: TrainingData, **config: Any) -> Scorer:
    """Homefeed's item-item."""
    return _by_lists(ItemItemTrainer(ItemItemConfig(**config)).fit(data), data.item_count)


def sequence(data: TrainingData, **config: Any) -> Scorer:
    """Homefeed's sequences."""
    return _by_lists(SequenceTrainer(SequenceConfig(**config)).fit(data), data.item_count)


def ease(data: TrainingData, penalty: float, place_exponent: float = 0.0) -> Scorer:
    """Steck, "Embarrassingly shallow autoencoders for sparse data" (WWW 2019), all of the dense matrix."""
    table = _table_of(data)
    gram = (table.T @ table).toarray()
    diagonal = np.diag_indices(len(gram))
    gram[diagonal] += penalty
    factor, _ = lapack.spotrf(gram.T, lower=1, overwrite_a=1)
    inverse, _ = lapack.spotri(factor, lower=1, overwrite_c=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    weights = inverse / -np.diagonal(inverse)
    weights[diagonal] = 0
    return lambda histories: np.asarray(_rows(histories, data.item_count, place_exponent) @ weights, np.float32)


def v_sknn(data: TrainingData, neighbours: int) -> Scorer:
    """Ludewig & Jannach, "Evaluation of session-based recommendation algorithms" (UMUAI 2018), V-SkNN.

    What the users with the most similar histories have: similarity counts shared items by their place in the
    history asked for, linearly, divided by the length of the other's.
    """
    table = _table_of(data)
    lengths = np.maximum(np.asarray(table.sum(axis=1)).ravel(), 1)
    by_length = sp.csr_array(table.multiply(1 / np.sqrt(lengths)[:, None]))

    def score(histories: Sequence[Items]) -> Scores:
        weights = [np.arange(1, len(own) + 1) / len(own) for own in histories]
        alike = sp.csr_array(_weighted(histories, weights, data.item_count) @ by_length.T).toarray()
        kept = min(neighbours, alike.shape[1])
        bounds = np.partition(alike, alike.shape[1] - kept, axis=1)[:, -kept][:, None]
        nearest = sp.csr_array(np.where((alike >= bounds) & (alike > 0), alike, 0).astype(np.float32))
        return np.asarray((nearest @ table).toarray(), np.float32)

    return score


def implicit_als(data: TrainingData, **config: Any) -> Scorer:
    """Hu, Koren & Volinsky, "Collaborative filtering for implicit feedback datasets" (ICDM 2008), by implicit."""
    from implicit.cpu.als import AlternatingLeastSquares

    model: Any = AlternatingLeastSquares(**config, iterations=15, random_state=data.seed)
    with threadpool_limits(1, "blas"):
        model.fit(sp.csr_matrix(_table_of(data)), show_progress=False)

    def score(histories: Sequence[Items]) -> Scores:
        rows = sp.csr_matrix(_rows(histories, data.item_count, 0.0))
        with threadpool_limits(1, "blas"):
            users = model.recalculate_user(np.arange(len(histories)), rows)
        return np.asarray(users @ model.item_factors.T, np.float32)

    return score


def implicit_item_item(data: TrainingData, **config: Any) -> Scorer:
    """BM25-weighted item-item, by implicit."""
    from implicit.nearest_neighbours import BM25Recommender

    model: Any = BM25Recommender(**config)
    model.fit(sp.csr_matrix(_table_of(data)), show_progress=False)
    return lambda histories: np.asarray(
        (_rows(histories, data.item_count, 0.0) @ sp.csr_array(model.similarity)).toarray(), np.float32
    )


MODELS: Final[Mapping[str, tuple[Fit, Sequence[Mapping[str, Any]]]]] = {
    "popular": (popular, [{}]),
    "popular_7_days": (popular_7_days, [{}]),
    "v_sknn": (v_sknn, [{"neighbours": count} for count in (50, 100, 200, 500)]),
    "implicit_item_item": (
        implicit_item_item,
        [{"K": 200, "K1": k1, "B": b} for k1 in (0.3, 1.2, 10.0) for b in (0.3, 0.75)],
    ),
    "implicit_als": (
        implicit_als,
        [
            {"factors": factors, "alpha": alpha, "regularization": penalty}
            for factors in (64, 128)
            for alpha in (1.0, 10.0)
            for penalty in (0.01, 1.0)
        ],
    ),
    "ease": (ease, [{"penalty": penalty} for penalty in (30.0, 100.0, 300.0, 1_000.0)]),
    "ease_in_order": (
        ease,
        [
            {"penalty": penalty, "place_exponent": exponent}
            for penalty in (100.0, 300.0)
            for exponent in (0.5, 0.7, 1.0)
        ],
    ),
    "item_item": (item_item, [{}]),
    "sequence_without_words": (sequence, [{"content": 0.0}]),
    "sequence": (sequence, [{}]),
}
"""By name, how each is fitted, and the configurations among which a validation part chooses."""


def _same_for_all(counts: npt.NDArray[np.integer[Any]]) -> Scorer:
    scores = counts.astype(np.float32)
    return lambda histories: np.repeat(scores[None], len(histories), axis=0)


def _by_lists(model: ItemItemModel, item_count: int) -> Scorer:
    lists = sp.csr_array((model.weights, model.indices, model.indptr), shape=(item_count, item_count))
    exponent = model.place_exponent
    return lambda histories: np.asarray((_rows(histories, item_count, exponent) @ lists).toarray(), np.float32)


def _table_of(data: TrainingData) -> Any:
    """(users, items) of ones."""
    events = data.interactions
    keys = np.unique(events.users.astype(np.int64) * data.item_count + events.items)
    users, items = np.divmod(keys, data.item_count)
    shape = (data.user_count, data.item_count)
    return sp.csr_array((np.ones(len(keys), np.float32), (users, items)), shape=shape)


def _rows(histories: Sequence[Items], item_count: int, place_exponent: float) -> Any:
    """(histories, items) by place: the n-th from the end counts n^-place_exponent."""
    weights = [np.arange(len(own), 0, -1, dtype=np.float64) ** -place_exponent for own in histories]
    return _weighted(histories, weights, item_count)


def _weighted(histories: Sequence[Items], weights: Sequence[npt.NDArray[Any]], item_count: int) -> Any:
    starts = np.append(0, np.cumsum([len(own) for own in histories]))
    values = np.concatenate(weights).astype(np.float32)
    return sp.csr_array((values, np.concatenate(histories), starts), shape=(len(histories), item_count))
