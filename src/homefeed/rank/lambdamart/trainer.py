"""Grows the trees of LambdaMART."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from homefeed.errors import HomefeedError
from homefeed.rank.lambdamart.model import LambdamartConfig, LambdamartModel
from homefeed.rank.schema import Schema
from homefeed.rank.trees import Trees
from homefeed.ranking import RankingData, divided, sampled
from homefeed.types import Floats

Rows = npt.NDArray[np.intp]

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
    rows, lengths, weights = click_groups(data)
    return {
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
