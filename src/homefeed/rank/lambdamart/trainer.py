"""Grows the trees of LambdaMART."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from homefeed.errors import HomefeedError
from homefeed.rank.lambdamart.model import LambdamartConfig, LambdamartModel
from homefeed.rank.schema import Schema
from homefeed.rank.trees import Trees
from homefeed.ranking import RankingData, divided, sampled

_PATIENCE: Final = 20
_DEEPEST: Final = 20
"""Places: pairs are formed with those that stand so high by the trees so far."""


class LambdamartTrainer:
    """Grows trees on the earlier requests until the later ones, a fifth, are not ranked better any more."""

    def __init__(self, config: LambdamartConfig) -> None:
        self._config = config

    def fit(self, data: RankingData) -> LambdamartModel:
        """Fit the requests in which something was chosen.

        Raises:
            HomefeedError: there are too few of them, or XGBoost is not installed.
        """
        learning, judging = (sampled(part, self._config.negatives) for part in divided(data))
        if not len(learning) or not len(judging):
            raise HomefeedError(
                "too few requests to learn to rank from: expected some in which something was chosen"
            )
        parameters = self._config.parameters(data.seed) | {
            "objective": "rank:ndcg",
            "eval_metric": "ndcg@10",
            "lambdarank_pair_method": "topk",
            "lambdarank_num_pair_per_sample": _DEEPEST,
        }
        matrices = _matrix(learning), _matrix(judging)
        trees = Trees.grown(parameters, self._config.trees, *matrices, _PATIENCE)
        return LambdamartModel(Schema(data.feature_names, data.calibrated), trees)


def _matrix(data: RankingData) -> dict[str, Any]:
    lengths = np.diff(data.starts)
    weights = np.add.reduceat(data.weights, data.starts[:-1]) / lengths
    return {
        "data": data.features,
        "label": data.chosen.astype(np.float32),
        "group": lengths,
        "weight": weights.astype(np.float32),
    }
