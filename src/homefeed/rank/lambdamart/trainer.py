"""Grows the trees of LambdaMART."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from homefeed.errors import HomefeedError
from homefeed.rank.lambdamart.model import LambdamartConfig, LambdamartModel
from homefeed.rank.schema import Schema
from homefeed.rank.trees import Trees, xgboost
from homefeed.ranking import RankingData, coverage, divided, ndcg, sampled, taken
from homefeed.types import Floats

Rows = npt.NDArray[np.intp]

_PATIENCE: Final = 1 / 3
"""Growing ends where so large a share of all trees brought nothing."""
_DEEPEST: Final = 20
"""Places: pairs are formed with those that stand so high by the trees so far."""
_TIMES: Final = (0.0, 1.0, 3.0, 10.0, 30.0)
"""How much the own score, over its spread, is worth trying to count: the more, the less trees can turn over."""
_COUNTS: Final = (3, 5, 10, 15, 20, 30, 40, 60, 80, 120, 160, 200)
_DEPTH: Final = 10
_LEAST_COVERAGE: Final = 0.95
"""Of the different items that the own ranker shows, so many are to be shown still; the gate asks nine tenths."""
COVERED: Final = 750
"""In how many requests, the latest, items are counted."""
_FLAT: Final = 1e-9
TOO_FEW: Final = "too few requests to learn to rank from: expected some in which something was chosen"


class LambdamartTrainer:
    """Grows trees on the earlier requests, and on all of them as many as rank the later ones, a fifth, best.

    What few requests say of more trees goes up and down: so growing does not end with the first plateau.
    """

    def __init__(self, config: LambdamartConfig) -> None:
        """Raises HomefeedError where XGBoost is not installed."""
        xgboost()
        self._config = config

    def fit(self, data: RankingData) -> LambdamartModel:
        """Fit the requests in which something was chosen.

        Raises:
            HomefeedError: there are too few of them, or XGBoost is not installed.
        """
        data = taken(data, np.arange(len(data))[-self._config.requests :])
        learning, judging = (sampled(part, self._config.negatives) for part in divided(data))
        if not len(learning) or not len(judging):
            raise HomefeedError(TOO_FEW)
        schema = Schema(data.feature_names, data.calibrated)
        own = [0.0] if schema.own is None else own_weights(float(learning.features[:, schema.own].std()))
        grown = [self._grown(schema, learning, judging, weight, self._config.trees) for weight in own]
        best = grown[0] if own == [0.0] else best_of(grown, data, judging)
        return self._grown(schema, sampled(data, self._config.negatives), None, best.own, best.trees.count)

    def _grown(
        self, schema: Schema, learning: RankingData, judging: RankingData | None, own: float, count: int
    ) -> LambdamartModel:
        parameters = parameters_of(self._config, learning.seed)
        judged = None if judging is None else _matrix(judging, schema, own)
        trees = Trees.grown(
            parameters,
            count,
            _matrix(learning, schema, own),
            judged,
            patience_of(self._config),
        )
        return LambdamartModel(schema, trees, own)


def parameters_of(config: LambdamartConfig, seed: int) -> dict[str, Any]:
    """How trees are grown, as XGBoost names it."""
    return config.parameters(seed) | {
        "objective": "rank:ndcg",
        "eval_metric": "ndcg@10",
        "lambdarank_pair_method": "topk",
        "lambdarank_num_pair_per_sample": _DEEPEST,
        "base_score": 0.0,
    }


def patience_of(config: LambdamartConfig) -> int:
    """Growing ends where so many trees brought nothing."""
    return max(20, round(_PATIENCE * config.trees))


def own_weights(spread: float) -> list[float]:
    """How many times the score by the feed's own ranker is worth trying to be added: by its spread."""
    return [times / spread for times in _TIMES] if spread > _FLAT else [0.0]


def best_of(grown: Sequence[LambdamartModel], data: RankingData, judging: RankingData) -> LambdamartModel:
    """Of the models, and of fewer of their trees, the one that ranks the later requests best.

    It is to show nearly as many different items as the own ranker; if none does, that does not count.
    """
    schema = grown[0].schema
    assert schema.own is not None  # noqa: S101
    some = taken(data, np.arange(len(data))[-COVERED:])
    shown = _LEAST_COVERAGE * coverage(some, some.features[:, schema.own], _DEPTH)
    tried = [
        replace(model, trees=model.trees.first(count))
        for model in grown
        for count in sorted({min(count, model.trees.count) for count in (*_COUNTS, model.trees.count)})
    ]
    best_first = sorted(tried, key=lambda model: -ndcg(judging, model.scores(judging.features), _DEPTH))
    varied = (model for model in best_first if coverage(some, model.scores(some.features), _DEPTH) >= shown)
    return next(varied, best_first[0])


def _matrix(data: RankingData, schema: Schema, own: float) -> dict[str, Any]:
    rows, lengths, weights = click_groups(data)
    start = {} if schema.own is None else {"base_margin": np.float32(own) * data.features[rows, schema.own]}
    return start | {
        "data": data.features[rows],
        "label": data.chosen[rows].astype(np.float32),
        "group": lengths,
        "weight": weights,
    }


def click_groups(data: RankingData) -> tuple[Rows, Rows, Floats]:
    """The rows of the groups in which candidates are compared, the lengths of the groups, and what each counts.

    XGBoost weighs groups, not rows. So what was chosen of a request is divided by what it counts, such as 1 /
    examination of its place, and each part makes a group with all that was not chosen: pairs are then weighed as
    by Hu et al., "Unbiased LambdaMART" (WWW 2019), for known propensities. Where all counts the same, requests are
    groups. In a group rows stand in an order of chance: else, among candidates that trees do not tell apart yet,
    those that stood higher, and so were clicked more, would be ahead.
    """
    request = np.repeat(np.arange(len(data)), np.diff(data.starts))
    pairs = np.unique(np.stack([request[data.chosen], data.weights[data.chosen]], axis=1), axis=0)
    of, weights = pairs[:, 0].astype(np.intp), pairs[:, 1].astype(np.float32)
    sizes = np.diff(data.starts)[of]
    group = np.repeat(np.arange(len(of)), sizes)
    rows = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + data.starts[of][group]
    kept = ~data.chosen[rows] | (data.weights[rows] == weights[group])
    rows, group = rows[kept], group[kept]
    drawn = np.random.default_rng(data.seed).random(len(rows))
    return rows[np.lexsort((drawn, group))], np.bincount(group, minlength=len(of)), weights
