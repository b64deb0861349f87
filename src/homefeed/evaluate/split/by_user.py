"""Split by user: how well users are served that training never saw.

Strong generalisation (Marlin, "Collaborative Filtering: A Machine Learning Perspective", 2004; Liang et al.,
"Variational Autoencoders for Collaborative Filtering", WWW 2018).
"""

from __future__ import annotations

import numpy as np

from homefeed.errors import InvalidError
from homefeed.evaluate.split.cases import Split
from homefeed.evaluate.split.timelines import (
    cases_after,
    check_events,
    check_min_targets,
    check_shares,
    share_of,
    timelines,
)
from homefeed.types import Interactions


def by_user(
    interactions: Interactions,
    share: float = 0.2,
    revealed_share: float = 0.5,
    seed: int = 0,
    min_targets: int = 1,
    repeats: bool = False,
) -> Split:
    """Hold out all events of a `share` of the users (rounded down, but at least one), drawn by `seed`.

    A model trains on all events of all others. In order of time, the first `revealed_share` of a held-out user's
    events (rounded down, but at least one) are what the service has seen at the request, at the time of the
    last of them; later items are the targets, less the items in the history unless `repeats`. Events at the
    same time keep the order of their rows.

    This leaks across users, by design: the others' events that were trained on may be later than a request, so
    counters and models know what became popular after it. Publish figures of `by_time`; these show whether new
    users are served as well as known ones.

    Raises:
        InvalidError: there are no events or only those of one user, or a share or `min_targets` is out of range.
    """
    check_events(interactions)
    check_shares(revealed_share, share=share)
    check_min_targets(min_targets)
    users = np.unique(interactions.users)
    if len(users) < 2:
        raise InvalidError("interactions: expected at least two users, one of them to learn from, got one")
    count = max(1, int(share_of(share, len(users))))
    held_out = np.random.default_rng(seed).choice(users, count, replace=False)

    lines = timelines(interactions, held_out)
    known = np.maximum(share_of(revealed_share, lines.lengths), 1)
    request_times = lines.time_of_last(known, interactions.times)
    cases, left_out = cases_after(interactions, lines, known, request_times, min_targets, repeats=repeats)
    train = interactions.take(~np.isin(interactions.users, held_out))
    return Split(train, int(train.times.max()) + 1, cases, left_out, "user", repeats=repeats)
