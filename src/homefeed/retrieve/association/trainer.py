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
from homefeed.types import Floats, Numbers, TrainingData

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
        own, count = baskets.holders(), baskets.count
        found = [NO_RULES]
        for rules in self._rules(baskets, min_baskets_of(config, count)):
            found.append(rules.take(kept_rules(config, rules, own, count)))
        return model_of(config, Rules(*map(np.concatenate, zip(*found, strict=True))), own, count, data.numbers)

    def _rules(self, baskets: Baskets, min_baskets: int) -> Iterator[Rules]:
        """All rules that are frequent, in the order of their antecedents, some items' at a time."""
        if self._config.method == "fp_growth":
            return iter([mined_rules(baskets, min_baskets)])
        return paired_rules(baskets, min_baskets)


def min_baskets_of(config: AssociationConfig, count: int) -> int:
    """How many of `count` baskets have to hold both items of a rule."""
    share = config.min_support
    if share is None:
        share = _MINED_SUPPORT if config.method == "fp_growth" else 0.0
    return max(config.min_baskets, math.ceil(share * count - _ROUNDING))


def kept_rules(config: AssociationConfig, rules: Rules, own: Starts, count: int) -> npt.NDArray[np.intp]:
    """The places of those that hold, of each antecedent the weightiest first: antecedents come in rising order.

    `own` (items,) is how many of `count` baskets hold each item.
    """
    lift = max(config.min_lift - _ROUNDING, 1 + _ROUNDING)
    hold = np.flatnonzero((rules.confidence >= config.min_confidence - _ROUNDING) & (rules.lift >= lift))
    held = rules.take(hold)
    weights = _weighed(config, held, own, count)
    return hold[_weightiest(_starts_of(held, len(own)), weights, config.neighbours)]


def model_of(
    config: AssociationConfig, rules: Rules, own: Starts, count: int, numbers: Numbers
) -> AssociationModel:
    """The model of the rules that are kept, in the order of their antecedents."""
    return AssociationModel(
        numbers,
        _starts_of(rules, len(numbers)),
        rules.consequents,
        _weighed(config, rules, own, count),
        support=rules.support.astype(np.float32),
        confidence=rules.confidence.astype(np.float32),
        lift=rules.lift.astype(np.float32),
        baskets=count,
        sharpness=config.sharpness,
    )


def _starts_of(rules: Rules, items: int) -> Starts:
    return np.searchsorted(rules.antecedents, np.arange(items + 1)).astype(np.int64)


def _weighed(config: AssociationConfig, rules: Rules, own: Starts, count: int) -> Floats:
    """Computed from whole numbers, so that all methods give the same weights to the last bit."""
    together = np.rint(rules.support * count)
    confidence = together / own[rules.antecedents]
    lift = confidence * count / own[rules.consequents]
    evidence = together / (together + config.shrinkage) * confidence * np.log(lift)
    return np.asarray(evidence**config.sharpness, np.float32)


def _weightiest(starts: Starts, weights: Floats, max_entries: int) -> Rows:
    """The entries of the `max_entries` largest weights above 0 of each row of a CSR matrix, row by row."""
    kept = np.flatnonzero(strongest(starts, weights, max_entries)).astype(np.int32)
    in_parallel(sort_rows, (0, len(starts) - 1), np.searchsorted(kept, starts), kept, weights[kept])
    return kept
