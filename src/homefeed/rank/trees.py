"""Gradient-boosted trees of XGBoost: grown, kept as UBJ, asked by one thread, their SHAP values."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Self

import numpy as np
from pydantic import Field

from homefeed.errors import ArtifactError, HomefeedError
from homefeed.model_files import require
from homefeed.protocols import PartConfig
from homefeed.rank.ubj import is_whole
from homefeed.types import Floats, Scores

if TYPE_CHECKING:
    from xgboost import Booster

_LARGEST: Final = 1 << 28
_START: Final = b"{"
"""Of what does not start as a file of XGBoost does, or is cut, it ends the process."""
_WRAPPED: Final = "sklearn"
_MISSING: Final = "XGBoost is not installed; install it with: pip install 'homefeed[ranking]'"


class TreesConfig(PartConfig):
    """Base of the `Config` of models that are trees: how they are grown."""

    trees: Annotated[int, Field(ge=1, le=2_000)] = 100
    """How many trees there are at most, for each event if there are several."""
    depth: Annotated[int, Field(ge=1, le=12)] = 3
    """How many questions a tree asks at most, one after the other. Pages of deeper ones take longer to explain."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.1
    """How much of what a tree would add is added."""
    min_weight: Annotated[float, Field(ge=0)] = 1.0
    """What the candidates in a leaf weigh at least, by the second derivatives of the loss."""

    def parameters(self, seed: int) -> dict[str, Any]:
        """The same as XGBoost names it; each tree sees four fifths of the rows and of the features."""
        return {
            "eta": self.learning_rate,
            "max_depth": self.depth,
            "min_child_weight": self.min_weight,
            "subsample": 0.8,
            "colsample_bytree": 0.8,
            "seed": seed,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Trees:
    """Grown trees, and the same as the bytes of a file in UBJ.

    Chen & Guestrin, "XGBoost: A Scalable Tree Boosting System" (KDD 2016).
    """

    ubj: bytes
    booster: Booster

    @classmethod
    def grown(
        cls,
        parameters: Mapping[str, Any],
        rounds: int,
        learning: Mapping[str, Any],
        judging: Mapping[str, Any] | None,
        patience: int,
    ) -> Self:
        """At most so many trees, until `patience` more do not rank or tell the judging part any better; if there
        is none, so many.

        `learning` and `judging` are the arguments of a DMatrix. By one thread, so that sums are rounded alike.

        Raises:
            HomefeedError: XGBoost is not installed.
        """
        library = xgboost()
        parameters = {**parameters, "nthread": 1, "tree_method": "hist", "verbosity": 0}
        train = library.DMatrix(**learning, nthread=1)
        if judging is None:
            return cls.read(bytes(library.train(parameters, train, rounds).save_raw("ubj")))
        booster = library.train(
            parameters,
            train,
            rounds,
            evals=[(library.DMatrix(**judging, nthread=1), "judging")],
            early_stopping_rounds=patience,
            verbose_eval=False,
        )
        return cls.read(bytes(booster[: booster.best_iteration + 1].save_raw("ubj")))

    @classmethod
    def load(cls, path: Path, width: int) -> Self:
        """From a file, of trees that look at so many features.

        Raises:
            ArtifactError: it holds no such trees, or more than can be, or XGBoost is not installed.
        """
        require(path.stat().st_size <= _LARGEST, f"{path.name} of up to {_LARGEST:,} bytes")
        trees = cls.read(path.read_bytes())
        require(trees.width == width, f"trees of {width} features")
        return trees

    @classmethod
    def read(cls, ubj: bytes) -> Self:
        """From the bytes of a file.

        Raises:
            ArtifactError: it holds no trees, or XGBoost is not installed.
        """
        if not ubj.startswith(_START) or not is_whole(ubj):
            raise ArtifactError("the trees are damaged: it is no whole file in UBJ")
        try:
            booster = xgboost().Booster({"nthread": 1})
            booster.load_model(bytearray(ubj))
        except HomefeedError as error:
            raise ArtifactError(str(error)) from None
        except Exception as error:  # whatever XGBoost says of a damaged file
            raise ArtifactError(f"the trees are damaged: {str(error).splitlines()[0]:.200}") from None
        return cls(ubj, booster)

    @property
    def count(self) -> int:
        """How many trees there are."""
        return int(self.booster.num_boosted_rounds())

    def first(self, count: int) -> Self:
        """The first of them."""
        return type(self).read(bytes(self.booster[: min(count, self.count)].save_raw("ubj")))

    @property
    def width(self) -> int:
        """How many features they look at."""
        return int(self.booster.num_features())

    def margins(self, features: Floats) -> Scores:
        """(n,) the sum of what the trees say of each row."""
        found = self.booster.inplace_predict(np.ascontiguousarray(features), predict_type="margin")
        return np.asarray(found, np.float32)

    def contributions(self, features: Floats, bias: int) -> Floats:
        """(n, features) the same divided among the features by SHAP values; what is of none goes to `bias`.

        Lundberg, Erion & Lee, "Consistent Individualized Feature Attribution for Tree Ensembles" (2018).
        """
        if not len(features):
            return np.empty(features.shape, np.float32)
        matrix = xgboost().DMatrix(np.ascontiguousarray(features), nthread=1)
        found = np.asarray(self.booster.predict(matrix, pred_contribs=True), np.float32)
        added = found[:, :-1].copy()
        added[:, bias] += found[:, -1]
        return added


def xgboost() -> Any:
    """The library.

    Raises:
        HomefeedError: it is not installed.
    """
    try:
        with _without_scikit_learn():
            import xgboost as library
    except ImportError:
        raise HomefeedError(_MISSING) from None
    return library


@contextmanager
def _without_scikit_learn() -> Iterator[None]:
    """Have XGBoost not find scikit-learn, unless it is there already.

    It only wraps its estimators for it, and brings pandas: 1.5 s and 95 MB of every server and command.
    """
    if _WRAPPED in sys.modules or "xgboost" in sys.modules:
        yield
        return
    sys.modules[_WRAPPED] = None  # type: ignore[assignment]  # the import system's own sign for what is not to be had
    try:
        yield
    finally:
        del sys.modules[_WRAPPED]
