"""Fits the item-item model: three views of which items belong together, blended and thinned to neighbour lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np
import scipy.sparse as sp

from homefeed.protocols import Range
from homefeed.retrieve.content.words import check_fields
from homefeed.retrieve.item_item.cold_items import neighbours_of_cold_items
from homefeed.retrieve.item_item.gram import Gram, gram_of, strongest
from homefeed.retrieve.item_item.kernels import Indices, Starts, in_parallel, sort_rows
from homefeed.retrieve.item_item.matrix import Matrix, no_entries, strengths_of, sums
from homefeed.retrieve.item_item.model import ItemItemConfig, ItemItemModel
from homefeed.retrieve.item_item.spectral import spectral
from homefeed.retrieve.item_item.views import damped_cosine, ridge
from homefeed.types import Floats, TrainingData

_SAMPLE = 500


class ItemItemTrainer:
    """Weights from items of a history to items to propose, of pairs that users share:

        W = cosine C / s(C) + ridge B / s(B) + spectral K / s(K)

    with the views C and B of `views` and K of `spectral`, each divided by the standard deviation s of the scores
    it gives a sample of users. The row of an item of the history is divided by (sum over users of
    r)^history_exponent: what many users chose says less about a taste. Of each item the `neighbours` largest
    weights are kept. Items without events get those of similar content, see `neighbours_of_cold_items`.
    """

    Config = ItemItemConfig
    SPACE: ClassVar[Mapping[str, Range]] = {
        "place_exponent": Range(0, 1),
        "dimensions": Range(32, 768, log=True, whole=True),
        "history_exponent": Range(0, 0.5),
        "penalty": Range(10, 300, log=True),
        "user_exponent": Range(0, 1),
        "cosine": Range(0, 2),
        "item_exponent": Range(0, 0.8),
        "ridge": Range(0, 2),
        "spectral": Range(0, 2),
    }

    def __init__(self, config: ItemItemConfig) -> None:
        self._config = config

    def fit(self, data: TrainingData) -> ItemItemModel:
        """Neighbour lists of every item.

        Raises:
            HomefeedError: a configured field is not declared by the recipe.
        """
        config = self._config
        check_fields(data, config.fields, "item_item")
        matrix = strengths_of(data, config.max_items_per_user)
        blend = self._blend(data, matrix)
        without_events = np.asarray(matrix.sum(axis=0)).ravel() <= 0
        if config.cold_item_weight and without_events.any():
            by_content = neighbours_of_cold_items(data, config.fields, without_events)
            blend = sp.csr_array(blend + config.cold_item_weight * _usual_best(blend) * by_content)
        starts, indices, weights = _neighbour_lists(blend, config.neighbours)
        return ItemItemModel(data.numbers, starts, indices, weights, without_events, config.place_exponent)

    def _blend(self, data: TrainingData, matrix: Matrix) -> Matrix:
        config = self._config
        blend = no_entries(data.item_count, data.item_count)
        gram = gram_of(matrix, config.user_exponent, config.candidates, config.min_users)
        if not len(gram.others):
            return blend
        rng = np.random.default_rng(data.seed)
        # Users without any item that has neighbours say nothing about a view.
        informative = np.flatnonzero(matrix @ (np.diff(gram.starts) > 0).astype(np.float32))
        sample = matrix[np.sort(rng.choice(informative, min(_SAMPLE, len(informative)), replace=False))]
        for weight, view in self._views(data, matrix, gram):
            blend = sp.csr_array(blend + np.float32(weight / (_spread(sample, view) or 1)) * view)
        damping = sums(matrix, axis=0) ** np.float32(-config.history_exponent)
        return sp.csr_array(sp.diags_array(damping) @ blend)

    def _views(self, data: TrainingData, matrix: Matrix, gram: Gram) -> Iterator[tuple[float, Matrix]]:
        """One after another, so that no two are in memory at once; those of no weight are not made."""
        config = self._config
        if config.cosine:
            yield (
                config.cosine,
                damped_cosine(gram, matrix, config.item_exponent, config.power, config.shrinkage),
            )
        if config.ridge:
            yield config.ridge, ridge(gram, config.ridge_neighbours, config.penalty)
        if config.spectral:
            yield config.spectral, spectral(gram, matrix, config.dimensions, data.seed)


def _neighbour_lists(blend: Matrix, max_neighbours: int) -> tuple[Starts, Indices, Floats]:
    """The `max_neighbours` largest weights of each row without their sign, sorted with it, in CSR form."""
    starts, weights = blend.indptr.astype(np.int64), blend.data.astype(np.float32)
    kept = np.flatnonzero(strongest(starts, weights, max_neighbours))
    starts = np.searchsorted(kept, starts).astype(np.int64)
    indices, weights = blend.indices[kept].astype(np.int32), weights[kept]
    in_parallel(sort_rows, (0, blend.shape[0]), starts, indices, weights)
    return starts, indices, weights


def _spread(sample: Matrix, view: Matrix) -> float:
    """The standard deviation of the scores (users, items) that a view gives, those of 0 included."""
    scores = sp.csr_array(sample @ view)
    count = float(np.prod(scores.shape))
    mean = scores.data.sum(dtype=np.float64) / count
    return float(np.sqrt(max((scores.data.astype(np.float64) ** 2).sum() / count - mean**2, 0)))


def _usual_best(blend: Matrix) -> np.float32:
    """The median over items with neighbours of their largest weight; 1 where no item has any."""
    filled = np.flatnonzero(np.diff(blend.indptr))
    if not len(filled):
        return np.float32(1)
    return np.float32(np.median(np.maximum.reduceat(blend.data, blend.indptr[filled])))
