"""How an evaluation is made: which events it uses, how they are split, and which users make requests."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from homefeed.errors import InvalidError
from homefeed.evaluate.rolling import MAX_TRAININGS, training_period, trainings_due
from homefeed.evaluate.split import Case, Kind, Split, by_time, by_user, leave_last_out, next_basket, rolling
from homefeed.evaluate.split.timelines import cutoff_of
from homefeed.recipe import Recipe
from homefeed.times import format_duration
from homefeed.types import DAY, Codes, Interactions, Times

_REPEATS: Final = (
    "Items of the history count when they are repeated; feeds may recommend them where the recipe lets them."
)


@dataclass(frozen=True, slots=True)
class Protocol:
    """How an evaluation is made.

    `split` names the way to split: "rolling" takes `cutoff_share` and `horizon`, in microseconds (see
    `rolling`), and trains every `retrain`, in microseconds or as "scheduled" by the recipe's jobs or "never" after
    the cutoff, but not more than `max_trainings` times (see `rolling.trainings_due`). "time" takes `cutoff_share`
    and `revealed_share` (see `by_time`), "user" takes `users_share` and `revealed_share` (see `by_user`), "last"
    takes `last` or, in its place, `last_share` (see `leave_last_out`), "basket" takes `cutoff_share` and
    `basket_minutes` (see `next_basket`). With `repeats` what is in a history may be a target, too.
    At most `max_requests` are made, drawn by `seed`: in all splits but "rolling" one of each user, in that the
    `latest`, of as many users as there are, where they are asked for.
    `validation`, for the splits at a cutoff in time, evaluates on the events before the test's cutoff, to tune
    without using the test. `replay` repeats some requests on a service without the test events, to find systems
    that read the future.
    """

    split: Kind = "rolling"
    cutoff_share: float = 0.8
    users_share: float = 0.2
    revealed_share: float = 0.5
    last: int = 1
    last_share: float | None = None
    basket_minutes: int = 0
    repeats: bool = False
    horizon: int = DAY
    retrain: int | Literal["scheduled", "never"] = "scheduled"
    max_trainings: int = MAX_TRAININGS
    max_requests: int = 2_000
    latest: bool = False
    seed: int = 0
    validation: bool = False
    replay: bool = True

    def __post_init__(self) -> None:
        if self.validation and self.split not in ("rolling", "time", "basket"):
            raise InvalidError(
                "validation: only a split at a cutoff in time has a part before its test to tune by; "
                f'leave it out, or split by "rolling", "time" or "basket" instead of by "{self.split}"'
            )
        if self.last_share is not None and self.last != 1:
            raise InvalidError("last, last_share: expected one of them, got both; leave one out")
        if self.max_trainings < 1 or (isinstance(self.retrain, int) and self.retrain < 1):
            raise InvalidError(
                "max_trainings, retrain: expected 1 training or more and time between them, got "
                f"{self.max_trainings} and {self.retrain}"
            )

    def judged_by(self, interactions: Interactions) -> Interactions:
        """The events to evaluate on: all of them, or with `validation` those before the test's cutoff."""
        if not self.validation or not len(interactions):
            return interactions
        return interactions.take(interactions.times < cutoff_of(interactions.times, self.cutoff_share))

    def divide(self, interactions: Interactions, goal: Codes | None = None) -> Split:
        """The events split. Only items chosen by an event of a type of the `goal` are targets: of any by default.

        Raises:
            InvalidError: there are too few of them, or a share or number is out of range.
        """
        counted = np.ones(len(interactions), np.bool_) if goal is None else np.isin(interactions.types, goal)
        if self.split == "rolling":
            share, horizon = self.cutoff_share, self.horizon
            requests = self.max_requests, self.repeats, self.seed, self.latest
            return rolling(interactions, counted, share, horizon, *requests)
        if self.split == "user":
            split = by_user(interactions, self.users_share, self.revealed_share, self.seed, repeats=self.repeats)
        elif self.split == "last":
            split = leave_last_out(interactions, self.last, repeats=self.repeats, share=self.last_share)
        elif self.split == "basket":
            split = next_basket(interactions, self.cutoff_share, self.basket_minutes, self.repeats)
        else:
            split = by_time(interactions, self.cutoff_share, self.revealed_share, repeats=self.repeats)
        return replace(split, cases=split.cases.choosing(counted))

    def drawn(self, split: Split) -> list[Case]:
        """The requests: all, or `max_requests` of them."""
        return [split.cases[case] for case in sample_indices(len(split.cases), self.max_requests, self.seed)]

    def trainings(self, recipe: Recipe, split: Split) -> Times:
        """When models are trained for the requests of a rolling split."""
        period = training_period(recipe) if self.retrain == "scheduled" else self.retrain
        requests = split.cases.times
        return trainings_due(split.cutoff, requests, None if period == "never" else period, self.max_trainings)


def sample_indices(count: int, max_count: int, seed: int) -> list[int]:
    """At most `max_count` of the numbers below `count`, drawn by the seed, in rising order."""
    if count <= max_count:
        return list(range(count))
    chosen: list[int] = np.sort(np.random.default_rng(seed).choice(count, max_count, replace=False)).tolist()
    return chosen


def format_protocol(protocol: Protocol) -> str:
    """How the events were split, and when requests were made."""
    if protocol.split == "rolling":
        return _format_rolling(protocol)
    revealed = f"{protocol.revealed_share:.0%}"
    repeats = f" {_REPEATS}" if protocol.repeats else ""
    if protocol.split == "user":
        return (
            f"{protocol.users_share:.0%} of the users, drawn at random, were held out: models were trained on all "
            f"events of the others. Each held-out user makes a request after {revealed} of their events. "
            "Later events of others were trained on, so these figures are higher than with a split by time."
            f"{repeats}"
        )
    if protocol.split == "last":
        one, several = ("event", "events") if protocol.repeats else ("new item", "new items")
        items = one if protocol.last == 1 else f"{protocol.last} {several}"
        items = items if protocol.last_share is None else f"{protocol.last_share:.0%} of the {several}"
        return (
            f"The split holds out the last {items} of each user; all events before them were trained on, and the "
            "request comes just before. Later events of others were trained on too, so these figures are higher "
            "than with a split by time: compare them only with others of this split."
            f"{repeats}"
        )
    if protocol.split == "basket":
        return f"{_format_cutoff(protocol)} {_format_basket(protocol)}"
    return (
        f"{_format_cutoff(protocol)} Each user with events after it makes a request after {revealed} of them: "
        f"the events until then are the history, the rest are the targets.{repeats}"
    )


def _format_rolling(protocol: Protocol) -> str:
    part = " before the test, which was not used," if protocol.validation else ""
    repeats = f"{_REPEATS} " if protocol.repeats else ""
    return (
        f"The clock ran from the moment before which {protocol.cutoff_share:.0%} of all events{part} happened. "
        "Requests are drawn evenly from the moments at which users came to something new, and everything is as it "
        "was at each: counters, users and catalogue. Models were trained at the start and "
        f"{_format_trainings(protocol)}. The targets are what a user chose within "
        f"{format_duration(protocol.horizon)} of the request. {repeats}Figures are means over requests; intervals "
        "resample users."
    )


def _format_trainings(protocol: Protocol) -> str:
    if protocol.retrain == "never" or protocol.max_trainings == 1:
        return "never again"
    scheduled = protocol.retrain == "scheduled"
    often = "as the recipe's jobs do" if scheduled else f"every {format_duration(int(protocol.retrain))}"
    return f"{often}, at most {protocol.max_trainings} times"


def _format_cutoff(protocol: Protocol) -> str:
    part = " before the test, which was not used," if protocol.validation else ""
    return (
        f"One cutoff in time for all users: the moment before which {protocol.cutoff_share:.0%} of all events"
        f"{part} happened. Models, counters and typical values were made from the events before it."
    )


def _format_basket(protocol: Protocol) -> str:
    minutes = protocol.basket_minutes
    unit = "minute" if minutes == 1 else "minutes"
    basket = f"the events within {minutes:,} {unit} of its first" if minutes else "the events at one time"
    repeats = (
        _REPEATS
        if protocol.repeats
        else "Only new items count: nothing of the history is a target, or recommended."
    )
    return (
        "Each user who came back after it makes a request when their first basket after it begins: all events "
        f"before that are the history, and only that basket, {basket}, is the target. {repeats}"
    )
