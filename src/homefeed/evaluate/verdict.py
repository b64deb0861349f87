"""Whether a feed is worth its parts: ahead of each retriever, of popularity and of the last seven days'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from homefeed.evaluate.bootstrap import Interval, paired_differences
from homefeed.evaluate.judging import Values
from homefeed.evaluate.systems import WEEK_POPULAR, System
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
    def level(self) -> tuple[str, ...]:
        """The parts that neither leads nor follows beyond chance."""
        return tuple(name for name, lead in self.leads.items() if lead.low <= 0 <= lead.high)

    @property
    def best(self) -> str:
        """The part that the feed has the smallest lead over."""
        return min(self.leads, key=lambda name: self.leads[name].mean)

    def sentence(self, app: str) -> str:
        """The verdict in words, and what to do where it is not good."""
        if not self.leads:
            return f"{self.feed} has no part to compare it with."
        if self.behind:
            first = _listed(self.behind[:1])
            return (
                f"{self.feed} is behind {_listed(self.behind)} at {self.metric}: by "
                f"{_format_lag(self.leads[self.behind[0]])} behind {first}. Tune what it is made of, "
                f"homefeed train {app} --tune 10m, or {_instead(self.behind[0])}."
            )
        if self.level:
            best = min(self.level, key=lambda name: self.leads[name].mean)
            nearest = f" the nearest {_listed([best])}," if len(self.level) > 1 else ""
            return (
                f"{self.feed} is behind no part of it at {self.metric}: level with {_listed(self.level)},{nearest}"
                f" by {_format(self.leads[best])}."
            )
        lead = _format(self.leads[self.best])
        return (
            f"{self.feed} is ahead of every part of it at {self.metric}: by {lead} ahead of the best, "
            f"{_listed([self.best])}."
        )

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "feed": self.feed,
            "metric": self.metric,
            "behind": list(self.behind),
            "level": list(self.level),
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


def _instead(name: str) -> str:
    """What else can be done about a part that is ahead."""
    if name == WEEK_POPULAR:  # a yardstick: no part proposes it
        return "give more weight to the retriever trending, which is nearest to that"
    return "serve that instead"


def _listed(names: Sequence[str]) -> str:
    quoted = [f'"{name}"' if "," in name else name for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _format(lead: Interval) -> str:
    return f"{lead.mean:+.4f} [{lead.low:+.4f}, {lead.high:+.4f}]"


def _format_lag(lead: Interval) -> str:
    return f"{-lead.mean:.4f} [{-lead.high:.4f}, {-lead.low:.4f}]"
