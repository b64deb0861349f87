"""Rules between two items, found by FP-Growth. Training alone needs the library, which is optional."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import scipy.sparse as sp

from homefeed.errors import HomefeedError
from homefeed.retrieve.arrays import Rows
from homefeed.retrieve.association.baskets import Baskets
from homefeed.retrieve.association.rules import NO_RULES, Rules, rules_of
from homefeed.retrieve.quiet import quiet


def mined_rules(baskets: Baskets, min_baskets: int) -> Rules:
    """The rules of pairs that baskets of at least `min_baskets` owners hold, by mlxtend's FP-Growth.

    The algorithm of Han, Pei & Yin, "Mining frequent patterns without candidate generation" (SIGMOD 2000). It
    counts baskets; of the pairs that are in as many of them, the owners are counted.

    Raises:
        HomefeedError: mlxtend is not installed.
    """
    with quiet():
        pandas, patterns = _libraries()
        # What is in too few baskets is in no frequent pair; the library would make room for it in each basket.
        held = baskets.held
        items = np.flatnonzero(np.bincount(held.indices, minlength=held.shape[1]) >= min_baskets)
        if not len(items):
            return NO_RULES
        table = pandas.DataFrame.sparse.from_spmatrix(held[:, items].astype(np.bool_))
        # Half a basket less: the library multiplies the share by the number of baskets and rounds up.
        frequent = patterns.fpgrowth(table, min_support=(min_baskets - 0.5) / held.shape[0], max_len=2)
        pairs = frequent["itemsets"][frequent["itemsets"].map(len) == 2]
        if not len(pairs):
            return NO_RULES
    one, two = items[np.array([sorted(pair) for pair in pairs], np.int64)].astype(np.int32).T
    together = _owners_of_both(baskets, one, two)
    one, two, together = (column[together >= min_baskets] for column in (one, two, together))
    antecedents, consequents = np.concatenate([one, two]), np.concatenate([two, one])
    order = np.lexsort((consequents, antecedents))
    both = np.concatenate([together, together])
    return rules_of(antecedents[order], consequents[order], both[order], baskets.holders(), baskets.count)


def _owners_of_both(baskets: Baskets, one: Rows, two: Rows) -> Rows:
    """(n,) how many owners have both of two items in a basket."""
    by_item = sp.csc_array(baskets.held)
    counts = np.empty(len(one), np.int32)
    for pair, (first, second) in enumerate(zip(one.tolist(), two.tolist(), strict=True)):
        both = np.intersect1d(_column(by_item, first), _column(by_item, second), assume_unique=True)
        counts[pair] = len(np.unique(baskets.owners[both]))
    return counts


def _libraries() -> tuple[Any, Any]:
    # By name: optional, and without types.
    try:
        return importlib.import_module("pandas"), importlib.import_module("mlxtend.frequent_patterns")
    except ImportError as error:
        raise HomefeedError(
            f'association: method "fp_growth" needs mlxtend, which cannot be imported ({error}); '
            "install it: pip install 'homefeed[rules]', or choose method \"pairs\""
        ) from error


def _column(matrix: sp.csc_array[np.int32], column: int) -> Rows:
    rows: Rows = matrix.indices[matrix.indptr[column] : matrix.indptr[column + 1]]
    return rows
