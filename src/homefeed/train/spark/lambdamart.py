"""Grows the trees of LambdaMART by XGBoost's own estimator for Spark."""

from __future__ import annotations

import importlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import sklearn.base  # noqa: F401  # XGBoost looks for it once, and its estimators need it
from pyspark.sql import Column, Window
from pyspark.sql import functions as sf

from homefeed.errors import HomefeedError
from homefeed.rank.lambdamart.model import LambdamartConfig, LambdamartModel
from homefeed.rank.lambdamart.trainer import COVERED, TOO_FEW, best_of, own_weights, parameters_of, patience_of
from homefeed.rank.schema import Schema
from homefeed.rank.trees import Trees, xgboost
from homefeed.ranking import LEARNING_SHARE, RankingData
from homefeed.train.spark.lists import Lists

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_OF_A_WORKER: Final = 1_000_000
"""Rows: their number makes that of XGBoost's workers, so that a cluster's size changes nothing."""
_JUDGED: Final = 10_000
"""Requests, the latest, by which the driver chooses how many trees there are."""
_TELLS: Final = "XGBoost-PySpark"
_NAMES: Final = {"eta": "learning_rate", "seed": "random_state"}


@dataclass(frozen=True, slots=True)
class SparkLambdamartTrainer:
    """The model of `LambdamartTrainer`, of requests that are in Spark.

    It is grown and chosen as there; what is not chosen of a request is drawn by a hash of the seed, the request
    and the item, so other rows are drawn, and sums are of Spark's order. How many trees there are is chosen on the
    driver by the latest 10,000 requests of the later fifth. XGBoost's estimator does not weigh groups: all clicks
    count the same.
    """

    config: LambdamartConfig

    def fit(self, lists: Lists) -> LambdamartModel:
        """Fit the requests in which something was chosen.

        Raises:
            HomefeedError: there are too few of them.
        """
        config, lists = self.config, lists.latest(self.config.requests)
        first = round(len(lists) * LEARNING_SHARE)
        if not lists.chosen[:first].any() or not lists.chosen[first:].any():
            raise HomefeedError(TOO_FEW)
        schema = Schema(lists.columns.names, lists.columns.calibrated)
        rows = _sampled(lists, config.negatives).withColumn("later", sf.col("number") >= first).cache()
        try:
            own = [0.0] if schema.own is None else own_weights(_spread(rows, schema.own))
            grown = [self._grown(rows, schema, lists.seed, weight, judged=True) for weight in own]
            best = grown[0] if own == [0.0] else self._best(grown, rows, lists, first)
            return self._grown(rows, schema, lists.seed, best.own, count=best.trees.count)
        finally:
            rows.unpersist()

    def _best(self, grown: list[LambdamartModel], rows: DataFrame, lists: Lists, first: int) -> LambdamartModel:
        some = sf.col("number") >= max(first, len(lists) - _JUDGED)
        return best_of(grown, lists.latest(COVERED).collected().data, _data(lists, rows.where(some)))

    def _grown(
        self,
        rows: DataFrame,
        schema: Schema,
        seed: int,
        own: float,
        *,
        judged: bool = False,
        count: int | None = None,
    ) -> LambdamartModel:
        parameters = parameters_of(self.config, seed) | {
            "features_col": "features",
            "label_col": "label",
            "qid_col": "number",
            "base_margin_col": "margin",
            "n_estimators": count or self.config.trees,
            "num_workers": 1 + rows.count() // _OF_A_WORKER,
            "verbosity": 0,
            "tree_method": "hist",
        }
        if judged:
            parameters |= {
                "validation_indicator_col": "later",
                "early_stopping_rounds": patience_of(self.config),
            }
        start = sf.lit(0.0) if schema.own is None else own * sf.get("features", sf.lit(schema.own))
        table = rows.withColumns({"margin": start.cast("float"), "label": sf.col("chosen").cast("float")})
        # In a group rows stand in an order of chance, as `click_groups` has them.
        table = table.repartitionByRange(parameters["num_workers"], "number")
        table = table.sortWithinPartitions("number", "drawn")
        named = {_NAMES.get(name, name): value for name, value in parameters.items()}
        booster = _estimator()(**named).fit(table).get_booster()
        if judged:
            booster = booster[: booster.best_iteration + 1]
        booster.feature_names = None
        return LambdamartModel(schema, Trees.read(bytes(booster.save_raw("ubj"))), own)


def _sampled(lists: Lists, negatives: int) -> DataFrame:
    """The requests in which something was chosen, with all of that and at most so many of the others."""
    drawn = sf.xxhash64(sf.lit(lists.seed), "number", "item")
    rows = lists.rows.withColumn("drawn", drawn)
    place = sf.row_number().over(Window.partitionBy("number", "chosen").orderBy("drawn", "item"))
    hit = sf.max("chosen").over(Window.partitionBy("number"))
    rows = rows.withColumns({"rank": place, "hit": hit})
    return rows.where(sf.col("hit") & (sf.col("chosen") | (sf.col("rank") <= negatives)))


def _spread(rows: DataFrame, own: int) -> float:
    score: Column = sf.get("features", sf.lit(own)).cast("double")
    found = rows.where("not later").agg(sf.stddev_pop(score)).first()
    return float(found[0]) if found and found[0] is not None else 0.0


def _data(lists: Lists, rows: DataFrame) -> RankingData:
    return lists.of(rows).collected().data


def _estimator() -> Any:
    """XGBoost's ranker for Spark."""
    library = xgboost()
    if not library.compat.SKLEARN_INSTALLED:
        raise HomefeedError("XGBoost was imported before scikit-learn was; train in a process of its own")
    logging.getLogger(_TELLS).disabled = True  # of every training all its parameters
    return importlib.import_module("xgboost.spark").SparkXGBRanker
