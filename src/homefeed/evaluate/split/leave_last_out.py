"""Leave each user's last items out: a common split in the literature, kept for comparison with it.

It leaks across users: the last item of one may be older than the training events of another, so a model knows what
became popular after the request. Meng et al. (RecSys 2020) show that this choice changes the order of systems,
Ji et al. (ACM TOIS 41(3), 2023) that leaks change the lists and let models recommend items of the future.
Prefer `by_time`, above all for figures to publish.
"""

from __future__ import annotations

import numpy as np

from homefeed.errors import InvalidError
from homefeed.evaluate.split.cases import Rows, Split
from homefeed.evaluate.split.timelines import (
    Timelines,
    cases_after,
    check_events,
    check_min_targets,
    check_shares,
    first_meetings,
    share_of,
    timelines,
)
from homefeed.types import Interactions, Mask


def leave_last_out(
    interactions: Interactions,
    last: int = 1,
    min_targets: int = 1,
    repeats: bool = False,
    share: float | None = None,
) -> Split:
    """Make the last `last` new items of each user the targets, or with `repeats` the items of the last events.

    In order of time, and of rows where the time is the same. All of the user's events before the first target are
    both history and training; the repeats after it are neither. The request is at the time of the last event of
    the history. A user with `last` of them or fewer keeps the first as history and has fewer targets. All
    events of users left out are trained on, because they make no request. With a `share` it is, in place of
    `last`, that share of each user's, rounded down, but at least one.

    Raises:
        InvalidError: there are no events, or `last` or `min_targets` is out of range.
    """
    check_events(interactions)
    check_min_targets(min_targets)
    if share is not None:
        check_shares(share=share)
    elif last < min_targets:
        raise InvalidError(f"last: expected at least min_targets, which is {min_targets}, got {last}")
    lines = timelines(interactions, interactions.users)
    meeting = np.ones(len(lines.rows), np.bool_) if repeats else first_meetings(lines, interactions)
    counts = lines.count(meeting)
    held_out = np.full(len(counts), last) if share is None else np.maximum(share_of(share, counts), 1)
    known = np.maximum(counts - held_out, 1) if repeats else _known(lines, meeting, held_out)
    request_times = lines.time_of_last(known, interactions.times)
    cases, left_out = cases_after(interactions, lines, known, request_times, min_targets, repeats=repeats)

    trained = ~np.isin(interactions.users, cases.users)
    trained[cases.history] = True
    train = interactions.take(trained)
    return Split(train, int(train.times.max()) + 1, cases, left_out, "last", repeats=repeats)


def _known(lines: Timelines, meeting: Mask, last: Rows) -> Rows:
    """The number of events of each user before the first target, of which they have `last`."""
    met = lines.count(meeting)
    in_history = met - np.minimum(last, met - 1)
    so_far = np.cumsum(meeting)
    # A timeline begins with a new item, which counts as the user's number one.
    number = so_far - (so_far[lines.starts] - 1)[lines.owner]
    return lines.count(number <= in_history[lines.owner])
