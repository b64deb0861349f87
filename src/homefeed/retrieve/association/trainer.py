"""Fits the association model: rules between two items, counted basket by basket."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt

from homefeed.protocols import Range
from homefeed.retrieve.arrays import Rows, Starts
from homefeed.retrieve.association.baskets import Baskets, baskets_of
from homefeed.retrieve.association.fp_growth import mined_rules
from homefeed.retrieve.association.model import AssociationConfig, AssociationModel
from homefeed.retrieve.association.rules import NO_RULES, Rules, paired_rules
from homefeed.retrieve.item_item.gram import strongest
from homefeed.retrieve.item_item.kernels import in_parallel, sort_rows
from homefeed.types import Floats, TrainingData

_MINED_SUPPORT: Final = 0.001
_ROUNDING: Final = 1e-9


class AssociationTrainer:
    """A rule from a to b that n baskets bear out weighs

        (n / (n + shrinkage) * confidence * ln(lift))^sharpness

    Without shrinkage, and with a sharpness of 1, that is P(b|a) ln(P(b|a) / P(b)), the chief term of the
    J-measure: the information that a basket with a gives about b (Smyth & Goodman, "An information theoretic
    approach to rule induction from databases", IEEE TKDE 1992). The factor in front trusts rules the less, the
    fewer baskets they rest on, as in Koren, "Factorization meets the neighborhood" (KDD 2008), equation 2.
    Sharpness leaves the order of an item's own rules, but where those of many are summed, one strong rule
    outweighs many weak ones.
    """

    Config = AssociationConfig
    SPACE: ClassVar[Mapping[str, Range]] = {
        "gap_minutes": Range(5, 1_440, log=True),
        "shrinkage": Range(1, 300, log=True),
        "sharpness": Range(0.5, 4),
        "neighbours": Range(10, 300, log=True, whole=True),
    }

    def __init__(self, config: AssociationConfig) -> None:
        self._config = config

    def fit(self, data: TrainingData) -> AssociationModel:
        """The rules of every item, weightiest first.

        Raises:
            HomefeedError: the method is "fp_growth", and mlxtend is not installed.
        """
        config = self._config
        baskets = baskets_of(data, config.gap_minutes, config.max_items_per_basket, config.once_per_user)
        own = baskets.holders()
        parts = [(NO_RULES, np.empty(0, np.float32))]
        for rules in self._rules(baskets):
            weights = self._weighed(rules, own, baskets.count)
            starts = np.searchsorted(rules.antecedents, np.arange(data.item_count + 1)).astype(np.int64)
            kept = _weightiest(starts, weights, config.neighbours)
            parts.append((rules.take(kept), weights[kept]))
        found = Rules(*map(np.concatenate, zip(*(rules for rules, _ in parts), strict=True)))
        starts = np.searchsorted(found.antecedents, np.arange(data.item_count + 1)).astype(np.int64)
        weights = np.concatenate([weights for _, weights in parts])
        return AssociationModel(
            data.numbers,
            starts,
            found.consequents,
            weights,
            support=found.support.astype(np.float32),
            confidence=found.confidence.astype(np.float32),
            lift=found.lift.astype(np.float32),
            baskets=baskets.count,
            sharpness=config.sharpness,
        )

    def _rules(self, baskets: Baskets) -> Iterator[Rules]:
        """All rules that are frequent and hold, in the order of their antecedents, some items' at a time."""
        config, count = self._config, baskets.count
        mined = config.method == "fp_growth"
        share = (_MINED_SUPPORT if mined else 0.0) if config.min_support is None else config.min_support
        min_baskets = max(config.min_baskets, math.ceil(share * count - _ROUNDING))
        confidence = config.min_confidence - _ROUNDING
        for rules in [mined_rules(baskets, min_baskets)] if mined else paired_rules(baskets, min_baskets):
            lift = max(config.min_lift - _ROUNDING, 1 + _ROUNDING)
            yield rules.take((rules.confidence >= confidence) & (rules.lift >= lift))

    def _weighed(self, rules: Rules, own: npt.NDArray[np.int64], count: int) -> Floats:
        """Computed from whole numbers, so that both methods give the same weights to the last bit."""
        together = np.rint(rules.support * count)
        confidence = together / own[rules.antecedents]
        lift = confidence * count / own[rules.consequents]
        evidence = together / (together + self._config.shrinkage) * confidence * np.log(lift)
        return np.asarray(evidence**self._config.sharpness, np.float32)


def _weightiest(starts: Starts, weights: Floats, max_entries: int) -> Rows:
    """The entries of the `max_entries` largest weights above 0 of each row of a CSR matrix, row by row."""
    kept = np.flatnonzero(strongest(starts, weights, max_entries)).astype(np.int32)
    in_parallel(sort_rows, (0, len(starts) - 1), np.searchsorted(kept, starts), kept, weights[kept])
    return kept
