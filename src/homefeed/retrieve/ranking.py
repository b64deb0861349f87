"""Rankings that all users share, sorted beside the requests: a request takes the first it may show."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from homefeed.kernels import BOOL, I32, I64, kernel, reads, writes
from homefeed.retrieve.within import EVERYTHING, Group
from homefeed.types import NO_POSITIONS, Codes, Mask, Positions, Scores

_WORD: Final = 8
_BLOCK: Final = 64
_TRIES_PER_ITEM: Final = 32
_MIN_TRIES: Final = 1_024


class Order:
    """Positions in an order, each once; those of each group together, too, in the same order."""

    def __init__(self, positions: Positions, codes: Codes = NO_POSITIONS) -> None:
        """`codes` (items,) are those of groups, as of now; without any there are no groups."""
        self.whole = self.by_group = positions
        self._spans: dict[int, slice] = {}
        if len(codes):
            self.by_group = positions[np.argsort(codes[positions], kind="stable")]
            distinct, starts = np.unique(codes[self.by_group], return_index=True)
            stops = np.append(starts[1:], len(positions))
            self._spans = dict(zip(distinct.tolist(), map(slice, starts.tolist(), stops.tolist()), strict=True))

    def span(self, group: Group) -> slice:
        """Where the positions of a group are in `by_group`."""
        return self._spans.get(group.code, slice(0, 0))


class PrecomputedRanking:
    """An order of positions of which requests take the first that are eligible."""

    def __init__(self, positions: Positions, scores: Scores, codes: Codes = NO_POSITIONS) -> None:
        """`scores` (items,) are those of all positions, `codes` as of `Order`."""
        self._order, self._scores = Order(positions, codes), scores
        self._place = np.full(len(scores), -1, np.int32)
        self._place[positions] = np.arange(len(positions), dtype=np.int32)

    def first(self, eligible: Mask, k: int, group: Group = EVERYTHING) -> tuple[Positions, Scores]:
        """The first k that are eligible and of a group, and their scores: none that is newer than the order."""
        order = self._order
        if group is not EVERYTHING:
            # Those that have left the group since are not of it.
            positions = _first(order.by_group[order.span(group)], eligible, group.codes, group.code, k)
        else:
            tries = max(_TRIES_PER_ITEM * k, _MIN_TRIES)
            positions = first_eligible(order.whole[:tries], eligible, k)
            if len(positions) < k and tries < len(order.whole):
                # Of few it is cheaper to look up where each stands than to look for them among the many.
                places = _places(self._place, eligible, int(np.count_nonzero(eligible)))
                if len(places) > k:
                    places.partition(k)
                    places = places[:k]
                places.sort()
                positions = order.whole[places]
        return positions, self._scores[positions]


def best_first(scores: npt.NDArray[np.float64]) -> Positions:
    """All positions by their scores (items,), best first, of equals the newest."""
    return (len(scores) - 1 - np.argsort(-scores[::-1], kind="stable")).astype(np.int32)


def first_eligible(order: Positions, eligible: Mask, k: int) -> Positions:
    """The first k positions of an order that are eligible, looking no further than needed."""
    return _first(order, eligible, NO_POSITIONS, 0, k)


@kernel(writes(I32), reads(I32), reads(BOOL), reads(I32), I64, I64)
def _first(order: Positions, eligible: Mask, codes: Codes, code: int, k: int) -> Positions:
    """The first k of an order that are eligible, and have the code where there are codes."""
    found = np.empty(max(min(k, len(order)), 0), np.int32)
    count = 0
    for position in order:
        if count == len(found):
            break
        if eligible[position] and (len(codes) == 0 or codes[position] == code):
            found[count] = position
            count += 1
    return found[:count]


@kernel(writes(I32), reads(I32), reads(BOOL), I64)
def _places(place: Positions, eligible: Mask, count: int) -> Positions:
    """The places of the `count` eligible items that have one."""
    size = len(place)
    blocks = size // _BLOCK
    words = eligible[: blocks * _BLOCK].view(np.int64)
    found = np.empty(count, np.int32)
    count = 0
    for block in range(blocks + 1):
        start, stop = block * _BLOCK, size
        if block < blocks:
            stop = start + _BLOCK
            some = np.int64(0)
            for word in words[start // _WORD : stop // _WORD]:
                some |= word
            if some == 0:
                continue
        for position in range(start, stop):
            if eligible[position] and place[position] >= 0:
                found[count] = place[position]
                count += 1
    return found[:count]
