"""How much the user has done: the same for every candidate."""

from __future__ import annotations

import math

import numpy as np

from homefeed.catalog import Resources
from homefeed.protocols import PartConfig
from homefeed.types import DAY, NO_HISTORY, Candidates, Floats, Query


class Activity:
    """How much the user has done, the same for every candidate: `user_events` is ln(1 + events of the history),
    `user_events_day` ln(1 + those of the last 24 hours), `user_idle` d / (1 + d), d being the days since the
    latest event, and `user_cold` 1 for a user about whom nothing is known that can be used, else 0.

    By itself it changes no order: a ranker of trees learns by it what counts for newcomers and what for regulars.
    Without a history the events are 0 and `user_idle` is 1, as after endless time. A user who opted out has none.
    Events of any type count, dislikes too; one with a time to come counts as of now. `history_days` of the feed
    bounds what is the history.
    """

    class Config(PartConfig):
        """Nothing to set."""

    names = ("user_events", "user_events_day", "user_idle", "user_cold")

    def __init__(self, config: Config, resources: Resources) -> None: ...

    def extract(self, query: Query, candidates: Candidates) -> Floats:
        """(n, 4): two of at least 0, `user_idle` from 0 to 1, `user_cold` 0 or 1."""
        user = query.user
        history = NO_HISTORY if user.opted_out else user.history
        last_day, idle = 0, 1.0
        if len(history):
            last_day = int(np.count_nonzero(history.times > query.now - DAY))
            days = max(query.now - int(history.times.max()), 0) / DAY
            idle = days / (1 + days)
        features = np.empty((len(candidates), len(self.names)), np.float32)
        features[:] = math.log1p(len(history)), math.log1p(last_day), idle, user.is_cold
        return features
