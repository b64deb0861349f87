"""Splitting by basket: what do people put into their next purchase?

The task of Rendle, Freudenthaler & Schmidt-Thieme, "Factorizing Personalized Markov Chains for Next-Basket
Recommendation" (WWW 2010), at one cutoff in time for everyone as in `by_time`, where that paper leaves out the
last basket of each user whenever it was. Li, Jullien, Ariannezhad & de Rijke, "A Next Basket Recommendation
Reality Check" (ACM TOIS 41(4), 2023) show that what people buy again and what they buy for the first time are two
tasks, the first far easier, and that one figure for both hides which a system can do: so `repeats` is asked for.
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
_MOST_MINUTES: Final = 365 * 24 * 60


def next_basket(
    interactions: Interactions,
    cutoff_share: float = 0.8,
    minutes: int = 0,
    repeats: bool = False,
    min_targets: int = 1,
) -> Split:
    """Make the first basket that each user begins at or after the cutoff the target.

    A model trains on the events strictly before the cutoff T, the moment before which `cutoff_share` of all events
    happened. Whoever has events at or after T is a test user. A basket begins with an event that has none of the
    same user in the `minutes` before it, nor at its very time before it in the rows, and holds what the user did
    within `minutes` of that event: with 0, what bears the same time, as the lines of an invoice do. The history is
    every event before the basket, and the user asks at the moment it begins. So the history ends before T but for
    what belongs to a basket that had begun by then, which is seen, though never trained on. Baskets after the
    first are not asked about.

    The targets are the items of the basket, each once; less those of the history, or with `repeats` whatever they
    are: then nothing of the history should be left out of what is recommended, either.

    Raises:
        InvalidError: there are no events, or a share or number is out of range.
    """
    check_events(interactions)
    check_shares(cutoff_share=cutoff_share)
    check_min_targets(min_targets)
    if not 0 <= minutes <= _MOST_MINUTES:
        raise InvalidError(f"minutes: expected 0 to {_MOST_MINUTES:,}, which is a year, got {minutes}")
    cutoff, span = cutoff_of(interactions.times, cutoff_share), minutes * _MINUTE
    lines = timelines(interactions, interactions.users[interactions.times >= cutoff])
    times = interactions.times[lines.rows]
    known = lines.before_first(_begins(lines, times, span) & (times >= cutoff))
    without = known == lines.lengths
    asked = times[lines.starts + np.where(without, 0, known)]
    basket = ~lines.first(known) & (times <= asked[lines.owner] + span)
    cases, left_out = cases_after(interactions, lines, known, asked, min_targets, basket, repeats)
    # Of whoever began none all is history: what is left of it are no targets, though no repeats either.
    none_begun = int(np.sum(without))
    left_out |= {NO_BASKET: none_begun, ONLY_REPEATS: left_out[ONLY_REPEATS] - none_begun}
    train = interactions.take(interactions.times < cutoff)
    return Split(train, cutoff, cases, left_out, "basket", span, repeats)


def _begins(lines: Timelines, times: Times, span: int) -> Mask:
    """Of each event (events,), whether its user did nothing in the `span` before it."""
    begins = np.ones(len(times), dtype=np.bool_)
    begins[1:] = np.diff(times) > span
    begins[lines.starts] = True
    return begins
