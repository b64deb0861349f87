"""Items and worlds whose similarities can be computed by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from homefeed.retrieve.similar.model import SimilarConfig, SimilarModel
from homefeed.retrieve.similar.trainer import SimilarTrainer
from homefeed.testing import World, make_world
from homefeed.testing.world import ITEMS, NOW, PLAYS, RECIPE
from homefeed.types import Interactions, Item, TrainingData

FIELDS: Mapping[str, float] = {"title": 1.0, "genre": 2.0, "content_type": 1.0}


def declared(**config: Any) -> Mapping[str, Any]:
    """The toy world's recipe with a model of similar items beside the others."""
    return {**RECIPE, "models": {**RECIPE["models"], "similar": {"fields": FIELDS, **config}}}


def similar_world(items: Sequence[Item] = ITEMS, **config: Any) -> World:
    """A world with such a model; the toy world unless it is told its items."""
    return make_world(items, PLAYS if items is ITEMS else (), declared=declared(**config))


def named_items(*names: str, genre: str = "Tools") -> list[Item]:
    """Items of these titles and one genre. The number of an item is 50 - its position."""
    return [Item(f"p{at}", 50 - at, {"title": name, "genre": [genre]}, None) for at, name in enumerate(names)]


def titles_data(*titles: str) -> TrainingData:
    """The catalogue of items that have titles only. The number of an item is 100 + its position."""
    terms = {"title": [(title,) if title else () for title in titles]}
    ints, floats = np.empty(0, np.int32), np.empty(0, np.float32)
    events = Interactions(ints, ints, ints, floats, floats, np.empty(0, np.int64))
    return TrainingData(events, 0, np.arange(100, 100 + len(titles), dtype=np.int32), terms, NOW)


def fitted(data: TrainingData, **config: Any) -> SimilarModel:
    """The model of data, compared by titles unless it is told other fields."""
    return SimilarTrainer(SimilarConfig.model_validate({"fields": {"title": 1.0}, **config})).fit(data)


def listed(model: SimilarModel, row: int) -> dict[int, float]:
    """The neighbours of a row and their cosines, in the model's order."""
    part = slice(model.indptr[row], model.indptr[row + 1])
    return dict(zip(model.indices[part].tolist(), model.weights[part].tolist(), strict=True))
