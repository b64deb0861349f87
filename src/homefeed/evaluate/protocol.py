"""How an evaluation is made: which events are judged on, how they are split, and who is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from homefeed.errors import InvalidError
from homefeed.evaluate.split import Case, Kind, Split, by_time, by_user, leave_last_out
from homefeed.types import Interactions


@dataclass(frozen=True, slots=True)
class Protocol:
    """How an evaluation is made.

    `split` names the way to split: "time" takes `cutoff_share` and `revealed_share` (see `by_time`), "user" takes
    `users_share` and `revealed_share` (see `by_user`), "last" takes `last` (see `leave_last_out`). At most
    `most_users` test users, drawn by `seed`, are asked about. `validation`, of the split by time only, judges on
    the events before the test's cutoff, to tune by without touching the test. `replay` asks some of them a second
    time, of a service that was never given the test, to find who reads the future.
    """

    split: Kind = "time"
    cutoff_share: float = 0.8
    users_share: float = 0.2
    revealed_share: float = 0.5
    last: int = 1
    most_users: int = 2_000
    seed: int = 0
    validation: bool = False
    replay: bool = True

    def __post_init__(self) -> None:
        if self.validation and self.split != "time":
            raise InvalidError(
                "validation: only the split by time has a part before its test to tune by; "
                f'leave it out, or split by time instead of by "{self.split}"'
            )

    def judged_by(self, interactions: Interactions) -> Interactions:
        """The events to judge on: all of them, or with `validation` those before the test's cutoff."""
        if not self.validation or not len(interactions):
            return interactions
        return by_time(interactions, self.cutoff_share, self.revealed_share).train

    def divide(self, interactions: Interactions) -> Split:
        """The events split.

        Raises:
            InvalidError: there are too few of them, or a share or number is out of range.
        """
        if self.split == "user":
            return by_user(interactions, self.users_share, self.revealed_share, self.seed)
        if self.split == "last":
            return leave_last_out(interactions, self.last)
        return by_time(interactions, self.cutoff_share, self.revealed_share)

    def drawn(self, split: Split) -> list[Case]:
        """The requests to ask: all, or `most_users` of them."""
        return [split.cases[case] for case in some_of(len(split.cases), self.most_users, self.seed)]


def some_of(count: int, most: int, seed: int) -> list[int]:
    """At most so many of the numbers below `count`, drawn by the seed, in rising order."""
    if count <= most:
        return list(range(count))
    chosen: list[int] = np.sort(np.random.default_rng(seed).choice(count, most, replace=False)).tolist()
    return chosen
