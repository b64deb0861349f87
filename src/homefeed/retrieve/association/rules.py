"""Rules between two items, counted by a sparse product."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from homefeed.retrieve.arrays import Rows
from homefeed.retrieve.association.baskets import Baskets

Doubles: TypeAlias = npt.NDArray[np.float64]

_PAIRS_AT_ONCE: Final = 4_000_000


class Rules(NamedTuple):
    """Rules "who has this also has that" as columns, sorted by antecedent and consequent."""

    antecedents: Rows
    consequents: Rows
    support: Doubles
    confidence: Doubles
    lift: Doubles

    def take(self, entries: npt.NDArray[np.integer[Any] | np.bool_]) -> Rules:
        """The chosen rules, in the order given."""
        sides = self.antecedents[entries], self.consequents[entries]
        return Rules(*sides, self.support[entries], self.confidence[entries], self.lift[entries])


NO_RULES: Final = Rules(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0), np.empty(0), np.empty(0))


def paired_rules(baskets: Baskets, min_baskets: int) -> Iterator[Rules]:
    """The rules of all pairs that at least `min_baskets` baskets hold, for some items at a time.

    Takes time in proportion to the sum over baskets of their items squared, and memory for the pairs of a range.
    """
    count = baskets.shape[0]
    own = np.bincount(baskets.indices, minlength=baskets.shape[1])
    by_item: Baskets = sp.csr_array(baskets.T)
    for start, stop in _blocks(baskets, by_item):
        product = sp.csr_array(by_item[start:stop] @ baskets)
        product.sort_indices()
        items = np.repeat(np.arange(start, stop, dtype=np.int32), np.diff(product.indptr))
        others = product.indices.astype(np.int32, copy=False)
        frequent = (product.data >= min_baskets) & (others != items)
        items, others, together = items[frequent], others[frequent], product.data[frequent]
        confidence = together / own[items]
        yield Rules(items, others, together / count, confidence, confidence * count / own[others])


def _blocks(baskets: Baskets, by_item: Baskets) -> Iterator[tuple[int, int]]:
    """Ranges of items, of one item at least, whose baskets hold a limited number of items in all."""
    found = np.concatenate([[0], np.cumsum(by_item @ np.diff(baskets.indptr).astype(np.int64))])
    start = 0
    while start < len(found) - 1:
        stop = int(np.searchsorted(found, found[start] + _PAIRS_AT_ONCE, side="right")) - 1
        yield start, (stop := max(stop, start + 1))
        start = stop
