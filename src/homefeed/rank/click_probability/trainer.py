"""Fits the model of click probabilities."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

from homefeed.blas import one_thread
from homefeed.errors import HomefeedError
from homefeed.labelled import LabelledPairs, Validation, Values
from homefeed.rank.click_probability.model import ClickProbabilityConfig, ClickProbabilityModel, learned_from

_LEAST: Final = 10
"""So many of the pairs are to be chosen, and so many not, at least."""
_NOT_VALIDATED: Final = Validation(0, 0, 0.0, 0.0, 0.0, None, 0.0)


class ClickProbabilityTrainer:
    """Logistic regression (scikit-learn, L2) on features of like spread, validated on pairs that are held out."""

    def __init__(self, config: ClickProbabilityConfig) -> None:
        self._config = config

    def fit(self, pairs: LabelledPairs) -> ClickProbabilityModel:
        """Fit the pairs that are not held out.

        Raises:
            HomefeedError: hardly any was chosen, or hardly any was not.
        """
        chosen = int(pairs.chosen.sum())
        others = len(pairs) - chosen
        if min(chosen, others) < _LEAST:
            raise HomefeedError(
                f"too few samples to learn from: {chosen:,} that were chosen and {others:,} that were not; "
                f"expected at least {_LEAST} of each"
            )
        held_out = max(2, round(self._config.held_out * len(pairs)))  # one of each label at least
        learned, judged = train_test_split(
            np.arange(len(pairs)),
            test_size=min(held_out, len(pairs) - 2),
            stratify=pairs.chosen,
            random_state=self._config.seed,
        )
        model = self._fitted(pairs.take(np.sort(learned)))
        return replace(model, validation=_validated(model, len(learned), pairs.take(np.sort(judged))))

    def _fitted(self, pairs: LabelledPairs) -> ClickProbabilityModel:
        features = {name: self._config.features[name] for name in pairs.names}
        values = learned_from(features, pairs.values)
        means = _means(values)
        apart = np.nan_to_num(values - means, copy=False)
        spreads = apart.std(axis=0)
        # A mean is not exact: what is the same everywhere is worth nothing.
        alike = spreads <= np.abs(means) * len(pairs) * np.finfo(np.float64).eps
        apart[:, alike], spreads[alike] = 0, 1
        with one_thread():
            regression = LogisticRegression(C=1 / self._config.regularization, max_iter=1_000)
            regression.fit(apart / spreads, pairs.chosen)
        weights, intercept = regression.coef_[0], float(regression.intercept_[0])
        return ClickProbabilityModel(features, means, spreads, weights, intercept, _NOT_VALIDATED)


def _means(values: Values) -> Values:
    """(features,) of what is known; 0 where nothing is."""
    known = (~np.isnan(values)).sum(axis=0)
    means: Values = np.nansum(values, axis=0) / np.maximum(known, 1)
    return means


def _validated(model: ClickProbabilityModel, fitted: int, pairs: LabelledPairs) -> Validation:
    likely = model.probabilities(pairs.values)
    said: npt.NDArray[np.bool_] = likely >= 0.5
    right = int((said & pairs.chosen).sum())
    return Validation(
        fitted=fitted,
        held_out=len(pairs),
        chosen_share=float(pairs.chosen.mean()),
        accuracy=float((said == pairs.chosen).mean()),
        roc_auc=float(roc_auc_score(pairs.chosen, likely)),
        precision=right / int(said.sum()) if said.any() else None,
        recall=right / int(pairs.chosen.sum()),
    )
