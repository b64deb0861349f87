"""Split by basket: the items of each user's next purchase.

The task of Rendle, Freudenthaler & Schmidt-Thieme, "Factorizing Personalized Markov Chains for Next-Basket
Recommendation" (WWW 2010), at one cutoff in time for everyone as in `by_time`, where that paper leaves out the
last basket of each user whenever it was. Li, Jullien, Ariannezhad & de Rijke, "A Next Basket Recommendation
Reality Check" (ACM TOIS 41(4), 2023) show that repeated and first purchases are two tasks, the first far easier,
and that one figure for both hides which of them a system can do: hence the option `repeats`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from homefeed.errors import InvalidError
from homefeed.evaluate.split.cases import NO_BASKET, ONLY_REPEATS, Split
from homefeed.evaluate.split.timelines import (
    Timelines,
    cases_after,
    check_events,
    check_min_targets,
    check_shares,
    cutoff_of,
    timelines,
)
from homefeed.types import SECOND, Interactions, Mask, Times

_MINUTE: Final = 60 * SECOND
_MAX_MINUTES: Final = 365 * 24 * 60


def next_basket(
    interactions: Interactions,
    cutoff_share: float = 0.8,
    minutes: int = 0,
    repeats: bool = False,
    min_targets: int = 1,
) -> Split:
    """Make the first basket that each user begins at or after the cutoff the target.

    A model trains on the events strictly before the cutoff T, the moment before which `cutoff_share` of all events
    happened. A user with events at or after T is a test user. A basket begins with an event that has none of the
    same user in the `minutes` before it, nor at the same time in an earlier row, and has the user's events within
    `minutes` of it: with 0, those at the same time, as the lines of an invoice. The history is every event before
    the basket, and the request is at its start. So the history ends before T, except for events of a basket that
    had begun by then, which are seen but never trained on. Later baskets are not used.

    The targets are the items of the basket, each once; less those of the history, or with `repeats` all of
    them: then the history may be recommended, too.

    Raises:
        InvalidError: there are no events, or a share or number is out of range.
    """
    check_events(interactions)
    check_shares(cutoff_share=cutoff_share)
    check_min_targets(min_targets)
    if not 0 <= minutes <= _MAX_MINUTES:
        raise InvalidError(f"minutes: expected 0 to {_MAX_MINUTES:,}, which is a year, got {minutes}")
    cutoff, span = cutoff_of(interactions.times, cutoff_share), minutes * _MINUTE
    lines = timelines(interactions, interactions.users[interactions.times >= cutoff])
    times = interactions.times[lines.rows]
    known = lines.before_first(_begins(lines, times, span) & (times >= cutoff))
    without = known == lines.lengths
    request_times = times[lines.starts + np.where(without, 0, known)]
    basket = ~lines.first(known) & (times <= request_times[lines.owner] + span)
    cases, left_out = cases_after(interactions, lines, known, request_times, min_targets, basket, repeats)
    # Users without a basket have only history, and no targets.
    none_begun = int(np.sum(without))
    left_out |= {NO_BASKET: none_begun, ONLY_REPEATS: left_out[ONLY_REPEATS] - none_begun}
    train = interactions.take(interactions.times < cutoff)
    return Split(train, cutoff, cases, left_out, "basket", span, repeats)


def _begins(lines: Timelines, times: Times, span: int) -> Mask:
    """Whether the user of each event (events,) has none in the `span` before it."""
    begins = np.ones(len(times), dtype=np.bool_)
    begins[1:] = np.diff(times) > span
    begins[lines.starts] = True
    return begins
