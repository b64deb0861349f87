"""Rules between two items, counted basket by basket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from homefeed.kernels import I32, I64, kernel, reads, several, writes
from homefeed.retrieve.arrays import Rows, Starts
from homefeed.retrieve.association.baskets import Baskets, Held
from homefeed.types import Codes

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
    """The rules of all pairs that baskets of at least `min_baskets` owners hold, for some items at a time.

    Takes time in proportion to the sum over baskets of their items squared, and memory for the pairs of a range.
    """
    own = baskets.holders()
    for items, others, together in counted_pairs(baskets, min_baskets):
        yield rules_of(items, others, together, own, baskets.count)


def counted_pairs(baskets: Baskets, min_baskets: int) -> Iterator[tuple[Rows, Rows, Rows]]:
    """Items, others and how many owners have both in a basket, for some items at a time, in rising order."""
    held = baskets.held
    by_item: Held = sp.csr_array(held.T)
    by_item.sort_indices()
    by_basket = (*_rows_of(by_item), *_rows_of(held))
    for start, stop, pairs in _blocks(held, by_item):
        room = min(pairs, (stop - start) * held.shape[1])
        yield _pairs(start, stop, room, min_baskets, *by_basket, baskets.owners, held.shape[1])


def _rows_of(matrix: Held) -> tuple[Starts, Rows]:
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32, copy=False)


def rules_of(items: Rows, others: Rows, together: Rows, own: Starts, count: int) -> Rules:
    """Rules from items to others (n,), by how many of `count` owners have both, and each item (items,)."""
    confidence = together / own[items]
    return Rules(items, others, together / count, confidence, confidence * count / own[others])


@kernel(
    several(writes(I32), writes(I32), writes(I32)),
    *(I64, I64, I64, I64, reads(I64), reads(I32), reads(I64), reads(I32), reads(I32), I64),
)
def _pairs(
    start: int,
    stop: int,
    room: int,
    min_owners: int,
    item_starts: Starts,
    item_baskets: Rows,
    basket_starts: Starts,
    basket_items: Rows,
    owners: Codes,
    item_count: int,
) -> tuple[Rows, Rows, Rows]:
    """Every two items that enough owners have in one basket, and how many have."""
    items, others, together = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int32)
    latest, counts = np.full(item_count, -1, np.int32), np.zeros(item_count, np.int32)
    met = np.empty(item_count, np.int32)
    found = 0
    for item in range(start, stop):
        distinct = 0
        # The baskets of an item are in the order of their owners.
        for place in range(item_starts[item], item_starts[item + 1]):
            basket = item_baskets[place]
            for entry in range(basket_starts[basket], basket_starts[basket + 1]):
                other = basket_items[entry]
                if latest[other] != owners[basket]:
                    if counts[other] == 0:
                        met[distinct] = other
                        distinct += 1
                    latest[other] = owners[basket]
                    counts[other] += 1
        for other in np.sort(met[:distinct]):
            if other != item and counts[other] >= min_owners:
                items[found], others[found], together[found] = item, other, counts[other]
                found += 1
            latest[other], counts[other] = -1, 0
    return items[:found], others[:found], together[:found]


def _blocks(held: Held, by_item: Held) -> Iterator[tuple[int, int, int]]:
    """Ranges of items, of one item at least, whose baskets hold a limited number of items in all, and how many."""
    found = np.concatenate([[0], np.cumsum(by_item @ np.diff(held.indptr).astype(np.int64))])
    start = 0
    while start < len(found) - 1:
        stop = int(np.searchsorted(found, found[start] + _PAIRS_AT_ONCE, side="right")) - 1
        stop = max(stop, start + 1)
        yield start, stop, int(found[stop] - found[start])
        start = stop
