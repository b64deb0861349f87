"""Fits how likely each event is."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from sklearn.linear_model import LogisticRegression

from homefeed.errors import HomefeedError
from homefeed.rank.schema import Schema
from homefeed.rank.trees import Trees, xgboost
from homefeed.rank.value.model import Classifier, ValueConfig, ValueModel
from homefeed.ranking import RankingData, divided
from homefeed.types import Mask

_PATIENCE: Final = 10
_STEEPEST: Final = 10.0


class ValueTrainer:
    """Grows the trees of each event on the earlier requests, and calibrates them on the later ones, a fifth."""

    def __init__(self, config: ValueConfig) -> None:
        """Raises HomefeedError where XGBoost is not installed."""
        xgboost()
        self._config = config

    def fit(self, data: RankingData) -> ValueModel:
        """Fit every candidate by what its user did to it.

        Raises:
            HomefeedError: an event that has a value is none that can follow, or there are hardly any requests.
        """
        for name in self._config.values:
            if name not in data.event_types:
                raise HomefeedError(f'values names "{name}"; the events are: {", ".join(data.event_types)}')
        learning, judging = divided(data)
        if not len(learning) or not len(judging):
            raise HomefeedError("too few requests to learn from: expected five or more")
        classifiers = {
            name: self._classifier(learning, judging, data.event_types.index(name)) for name in self._config.values
        }
        return ValueModel(Schema(data.feature_names, data.calibrated), classifiers, dict(self._config.values))

    def _classifier(self, learning: RankingData, judging: RankingData, event: int) -> Classifier:
        known, later = learning.outcomes[:, event], judging.outcomes[:, event]
        if not known.any() or known.all():
            return Classifier(None, 0.0, _log_odds(np.concatenate([known, later])))
        parameters = self._config.parameters(learning.seed) | {
            "objective": "binary:logistic",
            "eval_metric": "logloss",
        }
        matrices = _matrix(learning, known), _matrix(judging, later)
        trees = Trees.grown(parameters, self._config.trees, *matrices, _PATIENCE)
        return _calibrated(trees, judging, later)


def _matrix(data: RankingData, labels: Mask) -> dict[str, Any]:
    return {"data": data.features, "label": labels.astype(np.float32), "weight": data.weights}


def _calibrated(trees: Trees, data: RankingData, labels: Mask) -> Classifier:
    if labels.all() or not labels.any():
        return Classifier(trees, 1.0, 0.0)
    margins = trees.margins(data.features)[:, None]
    model = LogisticRegression(C=1e6, max_iter=1_000).fit(margins, labels, sample_weight=data.weights)
    slope = float(model.coef_[0, 0])
    if not 0 < slope < _STEEPEST:  # on later requests the trees say nothing, or all
        return Classifier(None, 0.0, _log_odds(labels)) if slope <= 0 else Classifier(trees, 1.0, 0.0)
    return Classifier(trees, slope, float(model.intercept_[0]))


def _log_odds(labels: Mask) -> float:
    happened = int(labels.sum())
    return float(np.log((happened + 0.5) / (len(labels) - happened + 0.5)))
