"""Fits the sequence model: what follows what, which items are chosen together, and what they have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

import numpy as np

from homefeed.protocols import Range
from homefeed.retrieve.content.words import check_fields
from homefeed.retrieve.item_item.cold_items import word_vectors
from homefeed.retrieve.item_item.gram import Gram, gram_of
from homefeed.retrieve.item_item.lists import neighbour_lists, spread
from homefeed.retrieve.item_item.matrix import Matrix
from homefeed.retrieve.item_item.views import ridge
from homefeed.retrieve.sequence.model import SequenceConfig, SequenceModel
from homefeed.retrieve.sequence.orders import Orders
from homefeed.retrieve.sequence.regression import Decay, regression
from homefeed.retrieve.sequence.words import cosines, nearest_elsewhere
from homefeed.types import Floats, TrainingData

_SAMPLE: Final = 500


class SequenceTrainer:
    """Weights from items of a history to items to come, of pairs that users share:

        W = B / s(B) + together R / s(R) + content C / s(C)

    with B the regression of what comes on what came before (`regression`), R the ridge regression of `views` on
    which items the same users choose, in whatever order, and C the cosines of the items' words; each divided by
    the standard deviation s of the scores that it gives a sample of users by their latest events. Of each item the
    `neighbours` largest weights are kept. Items that no user shares are neighbours where they are among each
    other's `content_neighbours` nearest by words: so are those without events.
    """

    Config = SequenceConfig
    SPACE: ClassVar[Mapping[str, Range]] = {
        "place_exponent": Range(0.3, 1.5),
        "target_exponent": Range(0.5, 2),
        "content": Range(0, 3),
        "together": Range(0, 2),
        "penalty": Range(5, 200, log=True),
        "together_penalty": Range(30, 1_000, log=True),
    }

    def __init__(self, config: SequenceConfig) -> None:
        self._config = config

    def fit(self, data: TrainingData) -> SequenceModel:
        """Neighbour lists of every item.

        Raises:
            HomefeedError: a configured field is not declared by the recipe.
        """
        config = self._config
        check_fields(data, config.fields, "sequence")
        orders = Orders.of(
            data.interactions,
            data.user_count,
            max_items_per_user=config.max_items_per_user,
            repeats=config.repeats,
            days_per_place=config.days_per_place,
            window=config.window,
        )
        gram = gram_of(orders.matrix(data.item_count), 0.0, config.candidates, config.min_users)
        decay = Decay.of(config.window, config.place_exponent, config.target_exponent)
        sample = self._sample(data, orders, gram)
        blend = np.zeros_like(gram.shared)
        for weight, view in self._views(orders, gram, decay) if len(blend) else ():
            np.multiply(view, np.float32(weight / (spread(sample, gram.matrix(view)) or 1)), out=view)
            blend += view
        elsewhere = self._add_content(data, gram, sample, blend)
        lists = neighbour_lists(gram, blend, elsewhere, np.float32(1), config.neighbours)
        without_events = np.bincount(orders.items, minlength=data.item_count) == 0
        return SequenceModel(data.numbers, *lists, without_events, config.place_exponent)

    def _sample(self, data: TrainingData, orders: Orders, gram: Gram) -> Matrix:
        """What some users' latest events weigh at a request."""
        config = self._config
        decay = np.arange(1, config.window + 1, dtype=np.float32) ** np.float32(-config.place_exponent)
        has_neighbours = np.diff(gram.starts) > 0
        informative = np.unique(orders.users[has_neighbours[orders.items]])
        rng = np.random.default_rng(data.seed)
        chosen = np.sort(rng.choice(informative, min(_SAMPLE, len(informative)), replace=False))
        return orders.latest(chosen, data.item_count, decay)

    def _views(self, orders: Orders, gram: Gram, decay: Decay) -> Iterator[tuple[float, Floats]]:
        config = self._config
        yield (
            1.0,
            regression(
                gram,
                orders,
                decay,
                user_exponent=config.user_exponent,
                penalty=config.penalty,
                exact_items=config.exact_items,
                neighbours=config.regression_neighbours,
            ),
        )
        if config.together:
            yield config.together, ridge(gram, config.regression_neighbours, config.together_penalty)

    def _add_content(self, data: TrainingData, gram: Gram, sample: Matrix, blend: Floats) -> Matrix | None:
        """Add the cosines of words to the weights of the Gram matrix's entries; returns those of other pairs."""
        config = self._config
        if not config.content or not data.terms:
            return None
        vectors = word_vectors(data, config.fields, "sequence")
        view, elsewhere = cosines(gram, vectors), nearest_elsewhere(gram, vectors, config.content_neighbours)
        scale = np.float32(config.content / (spread(sample, gram.matrix(view) + elsewhere) or 1))
        blend += scale * view
        elsewhere.data *= scale
        return elsewhere
