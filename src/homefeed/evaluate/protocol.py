"""How an evaluation is made: which events are judged on, how they are split, and who is asked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from homefeed.errors import InvalidError
from homefeed.evaluate.split import Case, Kind, Split, by_time, by_user, leave_last_out, next_basket
from homefeed.types import Interactions


@dataclass(frozen=True, slots=True)
class Protocol:
    """How an evaluation is made.

    `split` names the way to split: "time" takes `cutoff_share` and `revealed_share` (see `by_time`), "user" takes
    `users_share` and `revealed_share` (see `by_user`), "last" takes `last` (see `leave_last_out`), "basket" takes
    `cutoff_share`, `basket_minutes` and `repeats` (see `next_basket`). At most `max_users` test users, drawn by
    `seed`, are asked about. `validation`, of the splits by time and by basket only, judges on the events before
    the test's cutoff, to tune by without touching the test. `replay` asks some of them a second time, of a
    service that was never given the test, to find who reads the future.
    """

    split: Kind = "time"
    cutoff_share: float = 0.8
    users_share: float = 0.2
    revealed_share: float = 0.5
    last: int = 1
    basket_minutes: int = 0
    repeats: bool = False
    max_users: int = 2_000
    seed: int = 0
    validation: bool = False
    replay: bool = True

    def __post_init__(self) -> None:
        if self.validation and self.split not in ("time", "basket"):
            raise InvalidError(
                "validation: only a split at a cutoff in time has a part before its test to tune by; "
                f'leave it out, or split by "time" or "basket" instead of by "{self.split}"'
            )
        if self.repeats and self.split != "basket":
            raise InvalidError(
                "repeats: only a split by basket can count what comes again; "
                f'leave it out, or split by "basket" instead of by "{self.split}"'
            )

    def judged_by(self, interactions: Interactions) -> Interactions:
        """The events to judge on: all of them, or with `validation` those before the test's cutoff."""
        if not self.validation or not len(interactions):
            return interactions
        return self.divide(interactions).train

    def divide(self, interactions: Interactions) -> Split:
        """The events split.

        Raises:
            InvalidError: there are too few of them, or a share or number is out of range.
        """
        if self.split == "user":
            return by_user(interactions, self.users_share, self.revealed_share, self.seed)
        if self.split == "last":
            return leave_last_out(interactions, self.last)
        if self.split == "basket":
            return next_basket(interactions, self.cutoff_share, self.basket_minutes, self.repeats)
        return by_time(interactions, self.cutoff_share, self.revealed_share)

    def drawn(self, split: Split) -> list[Case]:
        """The requests to ask: all, or `max_users` of them."""
        return [split.cases[case] for case in sample_indices(len(split.cases), self.max_users, self.seed)]


def sample_indices(count: int, most: int, seed: int) -> list[int]:
    """At most so many of the numbers below `count`, drawn by the seed, in rising order."""
    if count <= most:
        return list(range(count))
    chosen: list[int] = np.sort(np.random.default_rng(seed).choice(count, most, replace=False)).tolist()
    return chosen


def format_protocol(protocol: Protocol) -> str:
    """How the events were split, and who asked when."""
    revealed = f"{protocol.revealed_share:.0%}"
    if protocol.split == "user":
        return (
            f"{protocol.users_share:.0%} of the users, drawn by lot, were held out whole: models were trained on "
            f"all events of all others. Each of those held out asks after the first {revealed} of their events. "
            "What others did later than that was trained on, so these figures are kinder than a split by time."
        )
    if protocol.split == "last":
        items = "item" if protocol.last == 1 else f"{protocol.last} items"
        return (
            f"The last {items} that each user came to for the first time were held out; everything before was "
            "trained on, and the user asks just before. What others did later than that was trained on, too, so "
            "these figures are kinder than a split by time: compare them with those of others who split so."
        )
    if protocol.split == "basket":
        return f"{_cutoff_in_words(protocol)} {_basket_in_words(protocol)}"
    return (
        f"{_cutoff_in_words(protocol)} Whoever has events after it asks after {revealed} of those: what they did "
        "until then is their history, the rest is what should have been foreseen."
    )


def _cutoff_in_words(protocol: Protocol) -> str:
    part = " before the test, which was not touched," if protocol.validation else ""
    return (
        f"One cutoff in time for everybody: the moment before which {protocol.cutoff_share:.0%} of all events"
        f"{part} happened. Models, counters and typical values were made of the events before it."
    )


def _basket_in_words(protocol: Protocol) -> str:
    minutes = protocol.basket_minutes
    unit = "minute" if minutes == 1 else "minutes"
    basket = f"what they did within {minutes:,} {unit} of its first event" if minutes else "what bears one time"
    repeats = (
        "What they had had before counts when it comes again, and every system may recommend it."
        if protocol.repeats
        else "Only what is new to them counts: nothing of the history is a target, or recommended."
    )
    return (
        "Whoever came back after it asks at the moment their first basket since then begins: all before that is "
        f"their history, and that basket alone, {basket}, is what should have been foreseen. {repeats}"
    )
