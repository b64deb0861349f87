"""Fits the ALS model with `implicit`, which only training needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, TypeAlias

import numpy as np
import scipy.sparse as sp

from homefeed.blas import one_thread
from homefeed.catalog.signals import Doubles
from homefeed.errors import HomefeedError
from homefeed.protocols import Range
from homefeed.retrieve.als.model import AlsConfig, AlsModel
from homefeed.retrieve.factors import longest_first
from homefeed.retrieve.opinions import strongest
from homefeed.types import Floats, Numbers, Positions, TrainingData

Confidences: TypeAlias = "sp.csr_matrix[np.float32]"
"""(users, items), below 0 where the preference is 0, as `implicit` takes them; it takes no sparse arrays."""

OUT_OF_RANGE: Final = (
    "als: the factorisation left the range of 32-bit numbers; lower alpha or the weights of the event types, or "
    "raise regularization"
)

_MANY: Final = 50_000
"""Pairs: fewer are sooner done by one thread."""


class AlsTrainer:
    """Vectors x of users and y of items, by alternating least squares, that minimise

        sum over u, i of c(u, i) (p(u, i) - x(u)^T y(i))^2 + lambda (sum of |x|^2 + sum of |y|^2)

    of Hu, Koren & Volinsky, "Collaborative Filtering for Implicit Feedback Datasets" (ICDM 2008), equation 3,
    over all users and items. c(u, i) = 1 + alpha |r(u, i)|, r being the strength of the user's strongest event
    of the item, the later of equals; p(u, i) is 1 where r is above 0, else 0: of a dislike one is sure, too.

    Each least-squares problem is solved by three steps of conjugate gradients from the vector before (Takács,
    Pilászy & Tikk, "Applications of the conjugate gradient method for implicit feedback collaborative filtering",
    RecSys 2011). Rows are solved each by itself, so that the threads they are shared between change no bit.
    """

    Config = AlsConfig
    SPACE: ClassVar[Mapping[str, Range]] = {
        "factors": Range(16, 256, log=True, whole=True),
        "regularization": Range(0.1, 100, log=True),
        "alpha": Range(1, 200, log=True),
        "iterations": Range(5, 30, whole=True),
    }

    def __init__(self, config: AlsConfig) -> None:
        self._config = config

    def fit(self, data: TrainingData) -> AlsModel:
        """The vectors of all items that any user likes, longest first, so that serving can stop early.

        Raises:
            NotInstalledError: `implicit` is not there.
            HomefeedError: the factorisation found no finite numbers.
        """
        config = self._config
        matrix, items = confidences(data, config.alpha)
        # One thread: implicit has threads of its own, and sums shared between some differ in their last bits.
        with one_thread():
            factors = _factorised(matrix, config, data.seed)
        return als_model(data.numbers[items], factors, config)


def als_model(numbers: Numbers, factors: Floats, config: AlsConfig) -> AlsModel:
    """What serves: the items of the permanent `numbers` (items,) by their `factors` (items, factors)."""
    wide = factors.astype(np.float64)
    with one_thread():
        gram: Doubles = wide.T @ wide + config.regularization * np.eye(config.factors)
    order = longest_first(factors)
    return AlsModel(numbers[order], factors[order], gram, config.alpha)


def confidences(data: TrainingData, alpha: float) -> tuple[Confidences, Positions]:
    """The confidences of users who like something in items that any user likes, and those items' positions (m,).

    The vectors of all other users and items are 0 whatever the rest: they minimise their terms.
    """
    events = strongest(data.interactions)
    liked = events.strengths > 0
    users, items = np.unique(events.users[liked]), np.unique(events.items[liked])
    events = events.take(np.isin(events.users, users) & np.isin(events.items, items))
    signed = np.sign(events.strengths) * (1 + alpha * np.abs(events.strengths))
    rows, columns = np.searchsorted(users, events.users), np.searchsorted(items, events.items)
    shape = len(users), len(items)
    return sp.csr_matrix((signed.astype(np.float32), (rows, columns)), shape=shape), items


def _factorised(matrix: Confidences, config: AlsConfig, seed: int) -> Floats:
    """(items, factors) the items' vectors."""
    try:
        from implicit.cpu.als import AlternatingLeastSquares
        from implicit.recommender_base import ModelFitError
    except ImportError as error:
        raise AlsModel.needs.missing(error) from error
    als = AlternatingLeastSquares(
        factors=config.factors,
        regularization=config.regularization,
        alpha=1.0,  # the matrix holds the confidences as they are
        iterations=config.iterations,
        num_threads=1 if matrix.nnz < _MANY else 0,
        random_state=seed,
    )
    try:
        als.fit(matrix, show_progress=False)
    except ModelFitError as error:
        raise HomefeedError(OUT_OF_RANGE) from error
    return np.asarray(als.item_factors, np.float32)
