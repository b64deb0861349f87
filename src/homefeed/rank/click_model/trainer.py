"""Fits the click model."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression

from homefeed.blas import one_thread
from homefeed.errors import HomefeedError
from homefeed.rank.click_model.model import ClickModelConfig, ClickModelModel
from homefeed.rank.schema import Schema
from homefeed.ranking import RankingData


class ClickModelTrainer:
    """Logistic regression (scikit-learn, L2) on features of like spread, told in their own units."""

    def __init__(self, config: ClickModelConfig) -> None:
        self._config = config

    def fit(self, data: RankingData) -> ClickModelModel:
        """Fit every candidate by whether it was chosen.

        Raises:
            HomefeedError: nothing was chosen, or everything.
        """
        if data.chosen.all() or not data.chosen.any():
            raise HomefeedError("nothing to learn clicks from: expected candidates that were chosen, and others")
        schema = Schema(data.feature_names, data.calibrated)
        others = np.arange(len(data.feature_names)) != schema.bias
        features = data.features[:, others].astype(np.float64)
        mean, spread = features.mean(axis=0), features.std(axis=0)
        spread[spread == 0] = 1
        with one_thread():
            model = LogisticRegression(C=1 / self._config.regularization, max_iter=1_000)
            model.fit((features - mean) / spread, data.chosen, sample_weight=data.weights)
        coefficients = np.zeros(len(data.feature_names))
        coefficients[others] = model.coef_[0] / spread
        coefficients[schema.bias] = model.intercept_[0] - coefficients[others] @ mean
        return ClickModelModel(schema, coefficients.astype(np.float32))
