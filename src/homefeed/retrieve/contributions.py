"""Which of the things that a user did says most of an item that is recommended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from homefeed.kernels import BOOL, F64, I32, compiled, kernel, reads, several, writes
from homefeed.retrieve.arrays import Doubles
from homefeed.types import Codes, Positions

Counts: TypeAlias = npt.NDArray[np.int64]

NEAR_EQUAL: Final = 0.1
"""Of contributions that are smaller than the largest by at most this share of it, that of the best known item is
named."""

NAMED_IN_A_ROW: Final = 2
"""An item that was named so many times in a list gives way to others that were named less often."""

WORTH_NAMING: Final = 0.5
"""It gives way to those that added at least this share of the largest contribution."""

NOTHING_TO_SAY: Final = 0
OWN: Final = 1
CATEGORY: Final = 2
OTHER_ITEM: Final = 3


@dataclass(frozen=True, slots=True)
class Grounds:
    """What speaks for the items at `positions` (n,).

    `kinds` (n,) say what speaks most for each: `OWN`, what the user did to the item itself; `CATEGORY`, what they
    did to several others of its category; `OTHER_ITEM`, what they did to one other. `items` (n,) are what was done
    something to: of a category the item that added most; -1 where there is nothing. `largest` (n,) is the largest
    contribution of a single item, 0 where there is none.
    """

    positions: Positions
    kinds: Codes
    items: Positions
    largest: Doubles


def grounds_of(
    added: Doubles, items: Positions, positions: Positions, users: Doubles, codes: Codes, *, own: bool
) -> Grounds:
    """What speaks for the item at each position (n,), where each of some items (m,) `added` (m, n) to its score.

    The items rise; what added nothing, or may not be named, has 0. What was done to the item itself comes first
    where no other added more. Then its category, where items of it added more than all others together, but the
    largest single one is of another: without `codes` (items,) of categories there are none. Else it is the item
    that added most: of near equals, see `NEAR_EQUAL`, the one of most `users` (items,), then the larger, then the
    newest. Places are gone through in their order: what was named `NAMED_IN_A_ROW` times gives way to what is
    `WORTH_NAMING` and was named fewer such rounds, the larger first. Without `own` nothing is said of the item
    itself.
    """
    return Grounds(positions, *_grounds(added, items, positions, users, codes, own))


@kernel(
    several(writes(I32), writes(I32), writes(F64)),
    *(reads(F64, 2), reads(I32), reads(I32), reads(F64), reads(I32), BOOL),
)
def _grounds(
    added: Doubles, items: Positions, positions: Positions, users: Doubles, codes: Codes, may_be_own: bool
) -> tuple[Codes, Positions, Doubles]:
    kinds, named = np.zeros(len(positions), np.int32), np.full(len(positions), -1, np.int32)
    largest, times = np.zeros(len(positions)), np.zeros(len(items), np.int64)
    for place in range(len(positions)):
        position, code = positions[place], _code_at(codes, positions[place])
        own = most = total = within = 0.0
        strongest = alike = -1
        for part in range(len(items)):
            value = added[part, place]
            if items[part] == position:
                own = value if may_be_own else 0.0
            elif value > 0:
                total += value
                if value > most:
                    most, strongest = value, part
                if code >= 0 and _code_at(codes, items[part]) == code:
                    within += value
                    if alike < 0 or value > added[alike, place]:
                        alike = part
        largest[place] = max(own, most)
        if own > 0 and own >= most:
            kinds[place], named[place] = OWN, position
        elif strongest >= 0 and 2 * within > total and _code_at(codes, items[strongest]) != code:
            kinds[place], named[place] = CATEGORY, items[alike]
        elif strongest >= 0:
            known = _best_known(added, place, items, position, users, most * (1 - NEAR_EQUAL))
            if times[known] >= NAMED_IN_A_ROW:
                known = _least_named(added, place, items, position, times, most * WORTH_NAMING)
            times[known] += 1
            kinds[place], named[place] = OTHER_ITEM, items[known]
    return kinds, named, largest


@compiled
def _code_at(codes: Codes, position: int) -> int:
    return codes[position] if 0 <= position < len(codes) else -1


@compiled
def _best_known(added: Doubles, place: int, items: Positions, position: int, users: Doubles, least: float) -> int:
    """Of the others that add at least so much to a place that of most users, then the larger, then the last."""
    found, most, known = -1, 0.0, -1.0
    for part in range(len(items)):
        value = added[part, place]
        if value < least or items[part] == position:
            continue
        by = users[items[part]] if items[part] < len(users) else 0.0
        if by > known or (by == known and value >= most):
            found, most, known = part, value, by
    return found


@compiled
def _least_named(added: Doubles, place: int, items: Positions, position: int, times: Counts, least: float) -> int:
    """Of the others that add at least so much to a place that of fewest rounds, then the larger, then the last."""
    found, most, rounds = -1, 0.0, 0
    for part in range(len(items)):
        value, often = added[part, place], times[part] // NAMED_IN_A_ROW
        if value < least or items[part] == position:
            continue
        if found < 0 or often < rounds or (often == rounds and value >= most):
            found, most, rounds = part, value, often
    return found
