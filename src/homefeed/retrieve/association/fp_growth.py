"""Rules between two items, found by FP-Growth. Training alone needs the library, which is optional."""

from __future__ import annotations

import importlib
from typing import Any, Final

import numpy as np

from homefeed.errors import HomefeedError
from homefeed.retrieve.arrays import Rows
from homefeed.retrieve.association.baskets import Baskets
from homefeed.retrieve.association.rules import NO_RULES, Rules
from homefeed.retrieve.quiet import quiet

_FIGURES: Final = ("support", "confidence", "lift")


def mined_rules(baskets: Baskets, min_baskets: int, min_confidence: float) -> Rules:
    """The rules of pairs that at least `min_baskets` baskets hold, by mlxtend's FP-Growth.

    The algorithm of Han, Pei & Yin, "Mining frequent patterns without candidate generation" (SIGMOD 2000).

    Raises:
        HomefeedError: mlxtend is not installed.
    """
    with quiet():
        pandas, patterns = _libraries()
        # What is in too few baskets is in no frequent pair; the library would make room for it in each basket.
        items = np.flatnonzero(np.bincount(baskets.indices, minlength=baskets.shape[1]) >= min_baskets)
        if not len(items):
            return NO_RULES
        table = pandas.DataFrame.sparse.from_spmatrix(baskets[:, items].astype(np.bool_))
        # Half a basket less: the library multiplies the share by the number of baskets and rounds up.
        frequent = patterns.fpgrowth(table, min_support=(min_baskets - 0.5) / baskets.shape[0], max_len=2)
        if not (frequent["itemsets"].map(len) == 2).any():
            return NO_RULES
        found = patterns.association_rules(
            frequent, metric="confidence", min_threshold=min_confidence, return_metrics=list(_FIGURES)
        )
    return _as_rules(found, items)


def _libraries() -> tuple[Any, Any]:
    # By name: optional, and without types.
    try:
        return importlib.import_module("pandas"), importlib.import_module("mlxtend.frequent_patterns")
    except ImportError as error:
        raise HomefeedError(
            f'association: method "fp_growth" needs mlxtend, which cannot be imported ({error}); '
            "install it: pip install 'homefeed[rules]', or choose method \"pairs\""
        ) from error


def _as_rules(found: Any, items: np.ndarray) -> Rules:
    rules = Rules(
        _only(found["antecedents"], items),
        _only(found["consequents"], items),
        *(found[name].to_numpy(np.float64) for name in _FIGURES),
    )
    return rules.take(np.lexsort((rules.consequents, rules.antecedents)))


def _only(sets: Any, items: np.ndarray) -> Rows:
    """The only member of each set, as a row."""
    members = np.fromiter((next(iter(members)) for members in sets), np.int64, len(sets))
    return items[members].astype(np.int32)
