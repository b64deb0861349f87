"""Fits the item-item model: three views of which items belong together, blended and thinned to neighbour lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

import numpy as np

from homefeed.protocols import Range
from homefeed.retrieve.content.words import check_fields
from homefeed.retrieve.item_item.cold_items import neighbours_of_cold_items
from homefeed.retrieve.item_item.gram import Gram, gram_of
from homefeed.retrieve.item_item.kernels import Starts, in_parallel, row_maxima
from homefeed.retrieve.item_item.lists import neighbour_lists, spread
from homefeed.retrieve.item_item.matrix import Matrix, strengths_of, sums
from homefeed.retrieve.item_item.model import ItemItemConfig, ItemItemModel
from homefeed.retrieve.item_item.spectral import spectral, spectral_of_pairs
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
        gram = gram_of(matrix, config.user_exponent, config.candidates, config.min_users)
        return self.fit_shared(data, gram, matrix, sums(matrix, axis=0))

    def fit_shared(
        self, data: TrainingData, gram: Gram, matrix: Matrix, totals: Floats, patterns: Gram | None = None
    ) -> ItemItemModel:
        """The same from what items share: `gram` and `totals` (items,) are of all users, `matrix` (users, items)
        of them; or of some of them, whose scores stand for those of all, and `patterns` is what items share by
        `spectral_of_pairs`.

        Raises:
            HomefeedError: a configured field is not declared by the recipe.
        """
        config = self._config
        blend = self._blend(data, matrix, totals, gram, patterns)
        without_events = gram.own <= 0
        by_content, share = None, np.float32(0)
        if config.cold_item_weight and without_events.any():
            by_content = neighbours_of_cold_items(data, config.fields, without_events)
            share = config.cold_item_weight * _usual_best(gram.starts, blend)
        lists = neighbour_lists(gram, blend, by_content, share, config.neighbours)
        return ItemItemModel(data.numbers, *lists, without_events, config.place_exponent)

    def _blend(
        self, data: TrainingData, matrix: Matrix, totals: Floats, gram: Gram, patterns: Gram | None
    ) -> Floats:
        """Values of the Gram matrix's entries."""
        config = self._config
        blend = np.zeros_like(gram.shared)
        if not len(blend):
            return blend
        rng = np.random.default_rng(data.seed)
        # Users without any item that has neighbours say nothing about a view.
        informative = np.flatnonzero(matrix @ (np.diff(gram.starts) > 0).astype(np.float32))
        sample = matrix[np.sort(rng.choice(informative, min(_SAMPLE, len(informative)), replace=False))]
        for weight, view in self._views(data, matrix, totals, gram, patterns):
            np.multiply(view, np.float32(weight / (spread(sample, gram.matrix(view)) or 1)), out=view)
            blend += view
        damping = totals ** np.float32(-config.history_exponent)
        for rows, entries in gram.blocks():
            blend[entries] *= np.repeat(damping[rows], np.diff(gram.starts[rows.start : rows.stop + 1]))
        return blend

    def _views(
        self, data: TrainingData, matrix: Matrix, totals: Floats, gram: Gram, patterns: Gram | None
    ) -> Iterator[tuple[float, Floats]]:
        """One after another, so that no two are in memory at once; those of no weight are not made."""
        config = self._config
        if config.cosine:
            yield (
                config.cosine,
                damped_cosine(gram, totals, config.item_exponent, config.power, config.shrinkage),
            )
        if config.ridge:
            yield config.ridge, ridge(gram, config.ridge_neighbours, config.penalty)
        if config.spectral:
            settings = totals, config.dimensions, data.seed
            found = (
                spectral(gram, matrix, *settings)
                if patterns is None
                else spectral_of_pairs(gram, patterns, *settings)
            )
            yield config.spectral, found


def _usual_best(starts: Starts, weights: Floats) -> np.float32:
    """The median over rows of a CSR matrix of their largest entry other than 0; 1 where none has any."""
    found = in_parallel(row_maxima, (0, len(starts) - 1), starts, weights)
    best = np.concatenate([np.empty(0, np.float32), *found])
    return np.float32(np.median(best)) if len(best) else np.float32(1)
