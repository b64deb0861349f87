"""How likely the user is to choose an item, by a model of labelled pairs."""

from __future__ import annotations

import numpy as np
import structlog

from homefeed.catalog import Resources
from homefeed.errors import RecipeError
from homefeed.protocols import PairModel, PartConfig
from homefeed.rank.pair_features import PairFeatures
from homefeed.types import Candidates, Floats, Query

_log = structlog.get_logger(__name__)


class ClickProbability:
    """How likely the user is to choose the item if it is shown, from 0 to 1, by a model that learned from click
    samples; 0 for all while there is none, or while it is switched off. The feature is called as the model is.

    What the model goes by is computed as it was declared when it was trained, of all candidates at once.
    """

    class Config(PartConfig):
        model: str = "click_probability"
        """The model of the recipe that says so, of kind `click_probability`."""
        enabled: bool = True
        """Whether it is used; `false` makes the feature 0 for all."""

    def __init__(self, config: Config, resources: Resources) -> None:
        self.names = (config.model,)
        self._model: PairModel | None = None
        found = resources.models.get(config.model)
        if not config.enabled or not isinstance(found, PairModel):
            return
        try:
            self._features = PairFeatures(found.features, resources.catalog)
        except RecipeError as error:  # it was trained before a field was declared otherwise
            _log.warning("model not used, train it anew", model=config.model, why=str(error))
            return
        self._model = found

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 1) from 0 to 1."""
        if self._model is None:
            return np.zeros((len(candidates), 1), np.float32)
        likely = self._model.probabilities(self._features.of(query, candidates.positions))
        return likely.astype(np.float32)[:, None]
