"""Fits the ALS model with MLlib, blocks of users and items in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from py4j.protocol import Py4JJavaError
from pyspark.ml.recommendation import ALS
from pyspark.sql import DataFrame
from pyspark.sql import functions as sf

from homefeed.errors import HomefeedError
from homefeed.retrieve.als.model import AlsConfig, AlsModel
from homefeed.retrieve.als.trainer import OUT_OF_RANGE, als_model
from homefeed.train.spark.opinions import strongest

if TYPE_CHECKING:
    from homefeed.train.spark.data import SparkData
    from homefeed.types import Floats, Positions

_OF_A_BLOCK: Final = 1_000_000
"""Pairs: their number makes that of the blocks, so that a cluster's size changes nothing."""
_MOST_BLOCKS: Final = 1_000
_UNTIL_CHECKPOINT: Final = 5
"""Iterations."""
_SINGULAR: Final = "SingularMatrixException"


class _Counts(NamedTuple):
    """How many pairs of a user and an item there are, how many of them likes, and of how many different ones."""

    pairs: int
    likes: int
    users: int
    items: int


class SparkAlsTrainer:
    """The loss of `AlsTrainer` by MLlib, but for what it counts lambda: each vector's own is multiplied by how
    much its user likes, or by how many like its item (Zhou et al., "Large-scale Parallel Collaborative Filtering
    for the Netflix Prize", AAIM 2008). What it is given is divided by the geometric mean of the two averages, so
    that the whole counts as much; popular items are drawn to zero more, rare ones less. Vectors are then scaled by
    the fourth root of users / items, at which lambda is the same for both, as `AlsModel.fold_in` takes it.

    Least-squares problems are solved exactly, not by conjugate gradients, from other first vectors. Lists differ
    from those of the local trainer as those of two seeds do, and are as good. Sums are of Spark's order: two runs
    agree to rounding.
    """

    Config = AlsConfig

    def __init__(self, config: AlsConfig) -> None:
        self._config = config

    def fit(self, data: SparkData) -> AlsModel:
        """The vectors of all items that any user likes, longest first.

        Raises:
            HomefeedError: the factorisation found no finite numbers.
        """
        pairs = confidences(data.events).cache()
        try:
            counts = _counts(pairs)
            if counts.likes:
                items, factors = _factorised(pairs, counts, self._config, data.about.seed)
            else:
                items, factors = np.empty(0, np.int32), np.empty((0, self._config.factors), np.float32)
        finally:
            pairs.unpersist()
        return als_model(data.about.numbers[items], factors, self._config)


def confidences(events: DataFrame) -> DataFrame:
    """(user, item, strength) of users who like something, in items that any user likes."""
    pairs = strongest(events)
    liked = pairs.where(sf.col("strength") > 0)
    for side in ("user", "item"):
        pairs = pairs.join(liked.select(side).distinct(), side, "left_semi")
    return pairs


def _counts(pairs: DataFrame) -> _Counts:
    likes = sf.count_if(sf.col("strength") > 0)
    row = pairs.agg(sf.count("*"), likes, sf.count_distinct("user"), sf.count_distinct("item")).first()
    return _Counts(*(row or (0, 0, 0, 0)))


def _factorised(pairs: DataFrame, counts: _Counts, config: AlsConfig, seed: int) -> tuple[Positions, Floats]:
    """The positions of items (items,), rising, and their vectors (items, factors)."""
    blocks = min(1 + counts.pairs // _OF_A_BLOCK, _MOST_BLOCKS)
    als = ALS(
        rank=config.factors,
        maxIter=config.iterations,
        regParam=config.regularization * float(np.sqrt(counts.users * counts.items)) / counts.likes,
        numUserBlocks=blocks,
        numItemBlocks=blocks,
        checkpointInterval=_UNTIL_CHECKPOINT,
        implicitPrefs=True,
        alpha=config.alpha,
        ratingCol="strength",
        seed=seed,
    )
    try:
        found = als.fit(pairs).itemFactors.orderBy("id").toArrow()
    except Py4JJavaError as error:
        if _SINGULAR in str(error):
            raise HomefeedError(OUT_OF_RANGE) from error
        raise
    factors = found["features"].combine_chunks().flatten().to_numpy().reshape(-1, config.factors)
    if not np.isfinite(factors).all():
        raise HomefeedError(OUT_OF_RANGE)
    scale = np.float32((counts.users / counts.items) ** 0.25)
    return found["id"].to_numpy(), scale * factors
