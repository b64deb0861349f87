"""What a reason may name, by the rule as it is written: for tests that know what each item adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from homefeed.retrieve.contributions import NAMED_IN_A_ROW, NEAR_EQUAL, WORTH_NAMING
from homefeed.types import Query

_ROUNDING = 1e-4


def own_in_words(query: Query, item: int) -> str:
    """What is said where it is the item itself."""
    history = query.user.history
    times = int(((history.items == item) & (history.strengths > 0)).sum())
    return f"You chose this {times} times" if times > 1 else "You chose this before"


def may_be_named_in_a_list(
    added: Mapping[int, float],
    position: int,
    users: Sequence[float],
    times: Mapping[int, int],
    *,
    own: bool = True,
) -> set[int]:
    """The same after others in a list, of which each item was named so many `times`."""
    alone = may_be_named(added, position, users, own=own)
    if all(times.get(item, 0) < NAMED_IN_A_ROW for item in alone):
        return alone
    others = {item: gain for item, gain in added.items() if item != position}
    least = WORTH_NAMING * max(others.values(), default=0.0) * (1 - _ROUNDING)
    return alone | {item for item, gain in others.items() if gain >= least}


def may_be_named(
    added: Mapping[int, float], position: int, users: Sequence[float], *, above: float = 0.0, own: bool = True
) -> set[int]:
    """The items that may be named for the one at a position, which itself stands for what was done to it.

    `added` is what each item that can be named adds, `users` (items,) how many know it. -1 is none. There are
    several where rounding decides: between equals, and where none adds more than what rounding leaves, `above`.
    """
    others = {item: gain for item, gain in added.items() if item != position}
    most, itself = max(others.values(), default=0.0), added.get(position, 0.0) if own else 0.0
    named = {-1} if max(most, itself) <= above else set()
    if itself > 0 and itself >= most * (1 - _ROUNDING):
        named.add(position)
    if most > 0 and itself <= most * (1 + _ROUNDING):
        near = most * (1 - NEAR_EQUAL)
        surely = [item for item, gain in others.items() if gain >= near * (1 + _ROUNDING) + above]
        known = max((users[item] for item in surely), default=0)
        named |= {
            item
            for item, gain in others.items()
            if gain >= near * (1 - _ROUNDING) - above and users[item] >= known
        }
    return named or {-1}
