"""Homefeed's own models: its modules are imported when they are used, for other interpreters lack them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from benchmarks.cf.lightgcn import CUT, Matrix, Split, Top, judged, users_to_judge, without_training
from benchmarks.cf.model import Config, Draw, Model, Users, best_of_blocks, log_between, one_of
from benchmarks.cf.tuning import Choice

if TYPE_CHECKING:
    from homefeed.retrieve.als.model import AlsModel
    from homefeed.retrieve.item_item.model import ItemItemModel
    from homefeed.retrieve.lightgcn.model import LightgcnModel
    from homefeed.types import TrainingData


_PLACES: Final = "place_exponent"


class ItemItem(Model):
    """The item-item model: a user's scores are the sum of the neighbour rows of their items."""

    name = "item_item"
    modules = ("homefeed.retrieve.item_item.trainer",)

    @property
    def defaults(self) -> Config:
        """Those of its configuration."""
        from homefeed.retrieve.item_item.model import ItemItemConfig

        return ItemItemConfig().model_dump(mode="json")

    def prepare(self, train: Matrix) -> TrainingData:
        """One event, of full strength, for each pair."""
        return training_data(train)

    def fit(self, data: TrainingData, config: Config, seed: int) -> ItemItemModel:  # noqa: ARG002
        """The neighbour lists."""
        from homefeed.retrieve.item_item.model import ItemItemConfig
        from homefeed.retrieve.item_item.trainer import ItemItemTrainer

        return ItemItemTrainer(ItemItemConfig(**config)).fit(data)

    def top(self, fitted: ItemItemModel, train: Matrix, users: Users, k: int) -> Top:
        """By the sum of the neighbour rows."""
        from benchmarks.cf.kernel import top_neighbours

        model = fitted.indptr, fitted.indices, fitted.weights
        top: Top = top_neighbours(train.indptr, train.indices, self._amounts(fitted, train), *model, users, k)
        return top

    def _amounts(self, fitted: ItemItemModel, train: Matrix) -> npt.NDArray[np.float32]:  # noqa: ARG002
        """What each pair of the training part counts when its user asks."""
        return np.ones(train.nnz, np.float32)


class ItemItemInOrder(ItemItem):
    """The same, with a user's items counted by their places from the end of the line, as it is when it serves."""

    name = "item_item_in_order"
    in_order = True

    def _amounts(self, fitted: ItemItemModel, train: Matrix) -> npt.NDArray[np.float32]:
        return np.asarray(train.data ** np.float32(-fitted.place_exponent), np.float32)


class HomefeedALS(Model):
    """The ALS model: each user's vector is folded in from their items, as it is when it serves."""

    name = "als_homefeed"
    modules = ("homefeed.retrieve.als.trainer", "implicit.cpu.als", "implicit.cpu.topk")

    @property
    def defaults(self) -> Config:
        """Those of its configuration."""
        from homefeed.retrieve.als.model import AlsConfig

        return AlsConfig().model_dump(mode="json")

    @property
    def space(self) -> Mapping[str, Draw]:
        """That of implicit's own, within what the configuration takes."""
        return {
            "factors": one_of(32, 64, 128, 192, 256),
            "regularization": log_between(0.001, 100),
            "alpha": log_between(0.5, 100),
            "iterations": one_of(10, 15, 20, 30),
        }

    def prepare(self, train: Matrix) -> TrainingData:
        """One event, of full strength, for each pair."""
        return training_data(train)

    def fit(self, data: TrainingData, config: Config, seed: int) -> AlsModel:
        """The items' vectors."""
        from homefeed.retrieve.als.model import AlsConfig
        from homefeed.retrieve.als.trainer import AlsTrainer

        return AlsTrainer(AlsConfig(**config)).fit(replace(data, seed=seed))

    def top(self, fitted: AlsModel, train: Matrix, users: Users, k: int) -> Top:
        """By the inner product of the vectors."""
        from implicit.cpu.topk import topk
        from threadpoolctl import threadpool_limits

        known = sp.csr_matrix(train[users][:, fitted.numbers])  # the rows of the items that have vectors
        vectors = np.zeros((len(users), fitted.factors.shape[1]), np.float32)
        with threadpool_limits(1, "blas"):  # as the server does
            for row, (start, end) in enumerate(pairwise(known.indptr.tolist())):
                mine = known.indices[start:end]
                vectors[row] = fitted.fold_in(mine, np.ones(end - start, np.float32)).sum(axis=1)
        rows, _ = topk(fitted.factors, vectors, min(k, len(fitted.numbers)), filter_query_items=known)
        top = np.full((len(users), k), -1, np.int32)
        top[:, : rows.shape[1]] = fitted.numbers[rows]
        return without_training(top, train, users)


class HomefeedLightGCN(Model):
    """The LightGCN model: each user's vector is folded in from their items, as it is when it serves."""

    name = "lightgcn_homefeed"
    modules = ("homefeed.retrieve.lightgcn.trainer", "torch")

    @property
    def defaults(self) -> Config:
        """Those of its configuration."""
        from homefeed.retrieve.lightgcn.model import LightgcnConfig

        return LightgcnConfig().model_dump(mode="json")

    @property
    def space(self) -> Mapping[str, Draw]:
        """Around what the paper tries."""
        return {
            "factors": one_of(32, 64, 128),
            "layers": one_of(1, 2, 3, 4),
            "regularization": log_between(1e-5, 1e-1),
            "learning_rate": log_between(0.003, 0.1),
        }

    def prepare(self, train: Matrix) -> TrainingData:
        """One event, of full strength, for each pair."""
        return training_data(train)

    def fit(self, data: TrainingData, config: Config, seed: int) -> LightgcnModel:
        """The items' vectors, and what they pass on."""
        from homefeed.retrieve.lightgcn.model import LightgcnConfig
        from homefeed.retrieve.lightgcn.trainer import LightgcnTrainer

        return LightgcnTrainer(LightgcnConfig(**config)).fit(replace(data, seed=seed))

    def top(self, fitted: LightgcnModel, train: Matrix, users: Users, k: int) -> Top:
        """By the inner product of the vectors."""
        vectors = np.zeros((train.shape[1], fitted.vectors.shape[1]), np.float32)
        vectors[fitted.numbers] = fitted.vectors
        of_users = np.zeros((len(users), vectors.shape[1]), np.float32)
        known = sp.csr_matrix(train[users][:, fitted.numbers])  # the rows of the items that have vectors
        for row, (start, end) in enumerate(pairwise(known.indptr.tolist())):
            mine = known.indices[start:end]
            of_users[row] = fitted.fold_in(mine, np.ones(end - start, np.float32)).sum(axis=1)
        places = np.zeros(train.shape[0], np.int64)
        places[users] = np.arange(len(users))
        return best_of_blocks(lambda block: of_users[places[block]] @ vectors.T, train, users, k)


def choose(model: Model, split: Split, seconds: float, seed: int) -> Choice:
    """By Homefeed's own search, as `homefeed train --tune`; places count only for a model that is told them."""
    from homefeed.retrieve.item_item.trainer import ItemItemTrainer
    from homefeed.train.search import Budget, search

    users, start = users_to_judge(split), model.defaults
    if seconds <= 0 or len(users) == 0:
        return Choice(start)
    train = split.train if split.places is None or not model.in_order else split.places
    space = {name: within for name, within in ItemItemTrainer.SPACE.items() if model.in_order or name != _PLACES}
    data = model.prepare(train)

    def judge(values: Mapping[str, float]) -> npt.NDArray[np.float64]:
        top = model.top(model.fit(data, {**start, **values}, seed), train, users, CUT)
        return judged(top, split, users)[f"ndcg@{CUT}"]

    found = search(space, {name: start[name] for name in space}, judge, Budget(seconds, time.perf_counter), seed)
    return Choice({**start, **(found.best if found.taken else {})}, found.trials, found.best_mean)


def training_data(train: Matrix) -> TrainingData:
    """What a trainer is given, where nothing but the pairs is known."""
    from homefeed.types import Interactions, TrainingData

    users = np.repeat(np.arange(train.shape[0], dtype=np.int32), np.diff(train.indptr))
    count = len(users)
    interactions = Interactions(
        users=users,
        items=train.indices.astype(np.int32),
        types=np.zeros(count, np.int32),
        values=np.full(count, np.nan, np.float32),
        strengths=np.ones(count, np.float32),
        times=np.zeros(count, np.int64),
    )
    return TrainingData(interactions, train.shape[0], np.arange(train.shape[1], dtype=np.int32), {}, now=0)
