"""Split by time: the honest way, and the one for figures to publish.

One cutoff for all users, so nothing learned from one user's future can help another's past (Meng et al.,
"Exploring Data Splitting Strategies for the Evaluation of Recommendation Models", RecSys 2020; Ji et al., "A
Critical Study on Data Leakage in Recommender System Offline Evaluation", ACM TOIS 41(3), 2023).

The caller must check what the split cannot: numbers computed over all events beforehand, such as strengths
relative to an item's typical value, and attributes of items or users that changed after the cutoff.
"""

from __future__ import annotations

import numpy as np

from homefeed.evaluate.split.cases import Rows, Split
from homefeed.evaluate.split.timelines import (
    cases_after,
    check_events,
    check_min_targets,
    check_shares,
    cutoff_of,
    share_of,
    timelines,
)
from homefeed.types import Interactions


def by_time(
    interactions: Interactions,
    cutoff_share: float = 0.8,
    revealed_share: float = 0.5,
    min_targets: int = 1,
    repeats: bool = False,
) -> Split:
    """Split at the moment before which `cutoff_share` of all events happened.

    A model trains on the events strictly before that cutoff T. A user with events at or after T is a test user.
    In order of time, the first `revealed_share` of those events (rounded down, but at least one where the user
    has none before T and two or more since) are what the service has seen at the request: state is read at request
    time, so they are history, but never training. Later items are the targets, except those in the history,
    because consuming an item again is no discovery, unless `repeats`. The request is at the time of the last
    revealed event, or at T if none is revealed. With `revealed_share` 0 the history ends before T for all users.

    Events of one user at the same time keep the order of their rows, also across the line between history and
    targets: a target may have the same time as the request. Rows of one moment that are sorted by their
    content (such as best rated first) should be shuffled before. Events at T itself belong to the test side.

    Raises:
        InvalidError: there are no events, or a share or `min_targets` is out of range.
    """
    check_events(interactions)
    check_shares(revealed_share, cutoff_share=cutoff_share)
    check_min_targets(min_targets)
    cutoff = cutoff_of(interactions.times, cutoff_share)
    lines = timelines(interactions, interactions.users[interactions.times >= cutoff])
    before = lines.count(interactions.times[lines.rows] < cutoff)
    revealed = _revealed(before, lines.lengths - before, revealed_share)
    known = before + revealed
    request_times = np.where(revealed > 0, lines.time_of_last(known, interactions.times), cutoff)
    cases, left_out = cases_after(interactions, lines, known, request_times, min_targets, repeats=repeats)
    return Split(interactions.take(interactions.times < cutoff), cutoff, cases, left_out, "time", repeats=repeats)


def _revealed(before: Rows, since: Rows, share: float) -> Rows:
    if share == 0:
        return np.zeros_like(since)
    revealed = np.minimum(share_of(share, since), since - 1)
    needs_one = (revealed == 0) & (before == 0) & (since >= 2)
    return np.where(needs_one, 1, revealed)
