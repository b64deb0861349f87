"""Whether a feed is worth its parts: ahead of each retriever, of popularity and of the last seven days'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from homefeed.evaluate.bootstrap import Interval, paired_differences
from homefeed.evaluate.judging import Values
from homefeed.evaluate.systems import System
from homefeed.types import Codes


@dataclass(frozen=True, slots=True)
class Verdict:
    """A feed's lead at the goal's `metric` over each of its parts and of what anyone could serve: `leads` by name.

    It is ahead of a part where the interval is above 0, behind where it is below 0, and else level.
    """

    feed: str
    metric: str
    leads: Mapping[str, Interval]

    @property
    def behind(self) -> tuple[str, ...]:
        """The parts that are ahead of the feed beyond chance, the farthest ahead first."""
        names = [name for name, lead in self.leads.items() if lead.high < 0]
        return tuple(sorted(names, key=lambda name: self.leads[name].mean))

    @property
    def best(self) -> str:
        """The part that the feed has the smallest lead over."""
        return min(self.leads, key=lambda name: self.leads[name].mean)

    def sentence(self, app: str) -> str:
        """The verdict in words, and what to do where it is not good."""
        if not self.leads:
            return f"{self.feed} has no part to compare it with."
        if self.behind:
            return (
                f"{self.feed} is behind {_listed(self.behind)} at {self.metric}: by "
                f"{_format(self.leads[self.behind[0]], -1)} behind {self.behind[0]}. Tune what it is made of, "
                f"homefeed train {app} --tune 10m, or serve {self.behind[0]} instead."
            )
        lead = self.leads[self.best]
        if lead.low > 0:
            return (
                f"{self.feed} is ahead of every part of it at {self.metric}: by {_format(lead)} ahead of "
                f"the best, {self.best}."
            )
        level = [name for name, lead in self.leads.items() if lead.low <= 0]
        return (
            f"{self.feed} is behind no part of it at {self.metric}: level with {_listed(level)}, "
            f"{_format(lead)} from {self.best}."
        )

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "feed": self.feed,
            "metric": self.metric,
            "behind": list(self.behind),
            "leads": {name: lead._asdict() for name, lead in self.leads.items()},
        }


def verdicts(
    metric: str, systems: Sequence[System], values: Values, users: Codes, seed: int
) -> tuple[Verdict, ...]:
    """The verdict on each feed; `users` (requests,) says whose each request is, as in `values`."""
    found = []
    for feed in (system for system in systems if system.role == "feed"):
        others = [
            system.name
            for system in systems
            if system.role in ("baseline", "week") or (system.role == "retriever" and feed.feed in system.feeds)
        ]
        leads = {
            name: paired_differences(
                {metric: values[feed.name][metric]},
                {metric: values[name][metric]},
                np.random.default_rng(seed),
                users=users,
            )[metric]
            for name in others
        }
        found.append(Verdict(feed.name, metric, leads))
    return tuple(found)


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _format(interval: Interval, sign: int = 1) -> str:
    low, high = sorted((sign * interval.low, sign * interval.high))
    return f"{sign * interval.mean:+.4f} [{low:+.4f}, {high:+.4f}]".replace("+", "" if sign < 0 else "+")
