"""Other libraries' models, each fitted and asked through its own interface. Imported only where they run."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp

from benchmarks.cf.lightgcn import Matrix, Top, without_training
from benchmarks.cf.model import Config, Draw, Model, Users, best_of_blocks, between, log_between, one_of

_SQUARE_GB = 4 / 1e9  # of a float32


class _Implicit(Model):
    """https://github.com/benfred/implicit asks for one thread of BLAS, as it has threads of its own."""

    modules = ("implicit.als", "implicit.nearest_neighbours", "threadpoolctl")

    def prepare(self, train: Matrix) -> Any:
        return sp.csr_matrix(train)

    def fit(self, data: Any, config: Config, seed: int) -> Any:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, "blas"):
            model = self._new(config, seed)
            model.fit(data, show_progress=False)
        return model

    def top(self, fitted: Any, train: Matrix, users: Users, k: int) -> Top:
        from threadpoolctl import threadpool_limits

        rows = sp.csr_matrix(train[users])
        with threadpool_limits(1, "blas"):
            items, _ = fitted.recommend(users, rows, N=min(k, train.shape[1]), filter_already_liked_items=True)
        top = np.full((len(users), k), -1, np.int32)
        top[:, : items.shape[1]] = items
        return without_training(top, train, users)  # it gives them the lowest scores, or 0, to leave them out

    def _new(self, config: Config, seed: int) -> Any:
        raise NotImplementedError


class ImplicitALS(_Implicit):
    """Hu, Koren & Volinsky, "Collaborative filtering for implicit feedback datasets" (ICDM 2008)."""

    name = "implicit_als"

    @property
    def defaults(self) -> Config:
        return {"factors": 64, "regularization": 0.01, "alpha": 1.0, "iterations": 15}

    @property
    def space(self) -> Mapping[str, Draw]:
        return {
            "factors": one_of(32, 64, 128, 192, 256),
            "regularization": log_between(0.001, 100),
            "alpha": log_between(0.5, 100),
            "iterations": one_of(10, 15, 20, 30),
        }

    def _new(self, config: Config, seed: int) -> Any:
        from implicit.cpu.als import AlternatingLeastSquares

        return AlternatingLeastSquares(**config, random_state=seed)


class ImplicitItemItem(_Implicit):
    """Its three weightings of the item-item matrix are one model here, the weighting tuned with the rest."""

    name = "implicit_item_item"

    @property
    def defaults(self) -> Config:
        return {"kind": "cosine", "K": 200, "K1": 1.2, "B": 0.75}

    @property
    def space(self) -> Mapping[str, Draw]:
        return {
            "kind": one_of("cosine", "tfidf", "bm25"),
            "K": one_of(20, 50, 100, 200, 300, 500),
            "K1": log_between(0.1, 300),
            "B": between(0, 1),
        }

    def _new(self, config: Config, seed: int) -> Any:  # noqa: ARG002
        from implicit.nearest_neighbours import BM25Recommender, CosineRecommender, TFIDFRecommender

        if config["kind"] == "bm25":
            return BM25Recommender(K=config["K"], K1=config["K1"], B=config["B"])
        return {"cosine": CosineRecommender, "tfidf": TFIDFRecommender}[config["kind"]](K=config["K"])


class _RecTools(Model):
    """https://github.com/MobileTeleSystems/RecTools."""

    modules = ("rectools.models", "rectools.dataset", "pandas")

    def prepare(self, train: Matrix) -> Any:
        pandas, dataset = map(importlib.import_module, ("pandas", "rectools.dataset"))
        columns = {
            "user_id": _users(train),
            "item_id": train.indices,
            "weight": 1.0,
            "datetime": pandas.Timestamp(0),
        }
        return dataset.Dataset.construct(pandas.DataFrame(columns))

    def fit(self, data: Any, config: Config, seed: int) -> Any:
        model = self._new(importlib.import_module("rectools.models"), data, config, seed)
        return model.fit(data), data

    def top(self, fitted: Any, train: Matrix, users: Users, k: int) -> Top:
        model, data = fitted
        known = users[np.diff(train.indptr)[users] > 0]  # it knows no others, and refuses them
        return _from_table(model.recommend(known, data, k, filter_viewed=True), users, k)

    def _new(self, models: Any, data: Any, config: Config, seed: int) -> Any:
        raise NotImplementedError


class RecToolsEase(_RecTools):
    """Steck, "Embarrassingly shallow autoencoders for sparse data" (WWW 2019)."""

    name = "rectools_ease"

    @property
    def defaults(self) -> Config:
        return {"regularization": 500.0}

    @property
    def space(self) -> Mapping[str, Draw]:
        return {"regularization": log_between(1, 5_000)}

    def gigabytes(self, items: int) -> float:
        """Nine of the Gram matrix, as measured at 7,000 items, one of which its sparse form took."""
        return 8 * _SQUARE_GB * items**2

    def _new(self, models: Any, data: Any, config: Config, seed: int) -> Any:  # noqa: ARG002
        return models.EASEModel(**config, recommend_use_gpu_ranking=False)


class RecToolsPureSVD(_RecTools):
    """Cremonesi, Koren & Turrin, "Performance of recommender algorithms on top-N tasks" (RecSys 2010)."""

    name = "rectools_pure_svd"

    @property
    def defaults(self) -> Config:
        return {"factors": 64}

    @property
    def space(self) -> Mapping[str, Draw]:
        return {"factors": one_of(16, 32, 48, 64, 96, 128, 192, 256)}

    def _new(self, models: Any, data: Any, config: Config, seed: int) -> Any:  # noqa: ARG002
        factors = min(config["factors"], min(data.get_user_item_matrix().shape) - 1)  # the solver finds no more
        # Without a seed, which its version 0.19 hands to scipy's solver in a form that scipy 1.17 refuses.
        return models.PureSVDModel(factors=factors, recommend_use_gpu_ranking=False)


class _LensKit(Model):
    """https://github.com/lenskit/lkpy, asked through its top-N pipeline in one process."""

    modules: ClassVar[tuple[str, ...]] = (
        "lenskit.als",
        "lenskit.knn",
        "lenskit.pipeline",
        "lenskit.batch",
        "pandas",
    )

    def prepare(self, train: Matrix) -> Any:
        pandas, data = map(importlib.import_module, ("pandas", "lenskit.data"))
        return data.from_interactions_df(pandas.DataFrame({"user_id": _users(train), "item_id": train.indices}))

    def fit(self, data: Any, config: Config, seed: int) -> Any:
        training, pipeline = map(importlib.import_module, ("lenskit.training", "lenskit.pipeline"))
        fitted = pipeline.topn_pipeline(self._new(config))
        fitted.train(data, training.TrainingOptions(rng=seed))
        return fitted

    def top(self, fitted: Any, train: Matrix, users: Users, k: int) -> Top:
        known = users[np.diff(train.indptr)[users] > 0]
        lists = importlib.import_module("lenskit.batch").recommend(fitted, known, k, n_jobs=1)
        return _from_table(lists.to_df(), users, k)

    def _new(self, config: Config) -> Any:
        raise NotImplementedError


class LensKitItemKNN(_LensKit):
    """Deshpande & Karypis, "Item-based top-N recommendation algorithms" (TOIS 2004)."""

    name = "lenskit_item_knn"

    @property
    def defaults(self) -> Config:
        return {"max_nbrs": 20, "save_nbrs": 200, "min_nbrs": 1}

    @property
    def space(self) -> Mapping[str, Draw]:
        return {
            "max_nbrs": one_of(10, 20, 50, 100, 200, 500),
            "save_nbrs": one_of(50, 100, 200, 500),
            "min_nbrs": one_of(1, 2),
        }

    def _new(self, config: Config) -> Any:
        return importlib.import_module("lenskit.knn").ItemKNNScorer(**config, feedback="implicit")


class LensKitImplicitMF(_LensKit):
    """Hu, Koren & Volinsky, "Collaborative filtering for implicit feedback datasets" (ICDM 2008)."""

    name = "lenskit_implicit_mf"

    @property
    def defaults(self) -> Config:
        return {"embedding_size": 50, "epochs": 10, "regularization": 0.1, "weight": 40.0}

    @property
    def space(self) -> Mapping[str, Draw]:
        return {
            "embedding_size": one_of(32, 50, 64, 128, 192),
            "epochs": one_of(5, 10, 15, 20),
            "regularization": log_between(0.01, 100),
            "weight": log_between(0.5, 100),
        }

    def _new(self, config: Config) -> Any:
        return importlib.import_module("lenskit.als").ImplicitMFScorer(**config)


class LensKitEase(_LensKit):
    """Steck, "Embarrassingly shallow autoencoders for sparse data" (WWW 2019).

    Its pipeline multiplies the whole dense matrix for every user, which takes hours; the product is sparse here.
    """

    name = "lenskit_ease"
    modules: ClassVar[tuple[str, ...]] = (*_LensKit.modules, "torch")

    @property
    def defaults(self) -> Config:
        return {"regularization": 500.0}

    @property
    def space(self) -> Mapping[str, Draw]:
        return {"regularization": log_between(1, 5_000)}

    def gigabytes(self, items: int) -> float:
        """Three of the Gram matrix, as measured at 7,000 items."""
        return 3 * _SQUARE_GB * items**2

    def fit(self, data: Any, config: Config, seed: int) -> Any:
        training = importlib.import_module("lenskit.training")
        scorer = self._new(config)
        scorer.train(data, training.TrainingOptions(rng=seed, device="cpu"))
        return scorer

    def top(self, fitted: Any, train: Matrix, users: Users, k: int) -> Top:
        items = fitted.items.ids()  # those of the training data, in its order
        known = train[:, items]

        def scores_of(block: Users) -> Any:
            scores = np.full((len(block), train.shape[1]), -np.inf, np.float32)
            scores[:, items] = known[block] @ fitted.weights
            return scores

        return best_of_blocks(scores_of, train, users, k)

    def _new(self, config: Config) -> Any:
        return importlib.import_module("lenskit.knn").EASEScorer(**config)


def _users(train: Matrix) -> Users:
    return np.repeat(np.arange(train.shape[0]), np.diff(train.indptr))


def _from_table(table: Any, users: Users, k: int) -> Top:
    """Lists from rows of user_id, item_id and rank, from 1; users that it lacks get none."""
    top = np.full((len(users), k), -1, np.int32)
    row_of = np.full(int(users.max()) + 1, -1)
    row_of[users] = np.arange(len(users))
    top[row_of[table["user_id"].to_numpy()], table["rank"].to_numpy() - 1] = table["item_id"].to_numpy()
    return top
