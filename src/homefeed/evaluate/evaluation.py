"""The result of an evaluation: for the terminal, for JSON and for the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from homefeed.evaluate.histories import HistoryGroup
from homefeed.evaluate.judging import CURVE
from homefeed.evaluate.leaks import Leak
from homefeed.evaluate.protocol import Protocol, format_protocol
from homefeed.evaluate.served import ServedCheck
from homefeed.evaluate.systems import System
from homefeed.evaluate.table import Comparison
from homefeed.evaluate.verdict import Verdict
from homefeed.times import format_time


@dataclass(frozen=True, slots=True)
class UsedData:
    """The events, requests and items of an evaluation; times in microseconds since 1970.

    Of all `events`, `train_events` were trained on, all before the `cutoff`, and models were trained `trainings`
    times, later ones on later events, too. The `requests` of `test_users` users are from
    `first_request` to `last_request`. Of all `targets`, `repeated_targets` are in the history of the user who
    makes the request. `left_out` counts users without a request, by reason.
    """

    events: int
    first_event: int
    last_event: int
    train_events: int
    cutoff: int
    trainings: int
    requests: int
    test_users: int
    first_request: int
    last_request: int
    items: int
    targets: int
    repeated_targets: int
    left_out: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Failure:
    """A part of a feed that failed: in how many requests, and its first error."""

    part: str
    requests: int
    error: str


@dataclass(frozen=True, slots=True)
class FiguresByUser:
    """Means over the requests of each user: of a `system`, of a measure, (users,).

    `numbers` (users,) are the users' permanent ones, or their rows where those are not known; `requests` (users,).
    """

    numbers: tuple[int, ...]
    requests: tuple[int, ...]
    systems: Mapping[str, Mapping[str, tuple[float, ...]]]

    def to_json(self, ids: Mapping[int, str]) -> dict[str, Any]:
        """As columns; users by id, or by number where `ids` does not have them."""
        users = [ids.get(number, number) for number in self.numbers]
        return {"users": users, "requests": list(self.requests), "systems": self.systems}


@dataclass(frozen=True, slots=True)
class Found:
    """The figures.

    `curves` has each system's mean recall at each depth of `CURVE`; `differences` maps each evaluated feed to the
    differences (users,) of NDCG@10 from the baseline. `verdicts` say of each whether it is ahead of its parts.
    """

    comparison: Comparison
    curves: Mapping[str, tuple[float, ...]]
    histories: tuple[HistoryGroup, ...]
    differences: Mapping[str, tuple[float, ...]]
    by_user: FiguresByUser
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The systems, the data they were compared on, and the figures.

    `replayed` is the number of requests repeated to find `leaks`, 0 where the protocol has no replay. By feed,
    `tuning` says how its weights were found, where they were looked for. `served` tells of each feed, as
    people are served it, what no list should hold. `rankers` tell of each feed with a learned ranker whether that
    ranked, and why.
    """

    app: str
    feeds: tuple[str, ...]
    protocol: Protocol
    used: UsedData
    systems: tuple[System, ...]
    leaks: tuple[Leak, ...]
    replayed: int
    failures: tuple[Failure, ...]
    found: Found
    tuning: Mapping[str, Any] = field(default_factory=dict)
    served: tuple[ServedCheck, ...] = ()
    rankers: Mapping[str, str] = field(default_factory=dict)

    @property
    def comparison(self) -> Comparison:
        """The systems side by side."""
        return self.found.comparison

    def to_json(self, user_ids: Mapping[int, str] | None = None) -> dict[str, Any]:
        """All of it as plain values; times in ISO 8601, users by id where `user_ids` has that of their number."""
        used = asdict(self.used)
        times = ("first_event", "last_event", "cutoff", "first_request", "last_request")
        span = {name: format_time(used.pop(name)) for name in times}
        curves = {system: list(curve) for system, curve in self.found.curves.items()}
        return {
            "app": self.app,
            "feeds": list(self.feeds),
            "protocol": {**asdict(self.protocol), "description": format_protocol(self.protocol)},
            **used,
            "span": span,
            "verdicts": [verdict.to_json() for verdict in self.found.verdicts],
            "roles": {system.name: system.role for system in self.systems},
            **self.comparison.to_json(),
            "recall_curve": {"k": list(CURVE), "systems": curves},
            "by_user": self.found.by_user.to_json(user_ids or {}),
            "by_history": [_group_json(group) for group in self.found.histories],
            "leaks": [asdict(leak) for leak in self.leaks],
            "replayed": self.replayed,
            "failures": [asdict(failure) for failure in self.failures],
            "served": [asdict(check) for check in self.served],
            "tuning": dict(self.tuning),
            "rankers": dict(self.rankers),
        }


def _group_json(group: HistoryGroup) -> dict[str, Any]:
    systems = {
        system: {measure: interval._asdict() for measure, interval in row.items()}
        for system, row in group.systems.items()
    }
    return {
        "min_events": group.min_events,
        "max_events": group.max_events,
        "users": group.users,
        "requests": group.requests,
        "systems": systems,
    }
