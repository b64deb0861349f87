"""Whether a feed is worth its parts: ahead of each retriever, of popularity and of the last seven days'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from homefeed.evaluate.bootstrap import Interval, paired_differences
from homefeed.evaluate.judging import Values
from homefeed.evaluate.systems import WEEK_POPULAR, System
from homefeed.protocols import NamesFeatures
from homefeed.recipe import FeedRecipe
from homefeed.types import Codes


@dataclass(frozen=True, slots=True)
class Verdict:
    """A feed's lead at the goal's `metric` over each of its parts and of what anyone could serve: `leads` by name.

    It is ahead of a part where the interval is above 0, behind where it is below 0, and else level. `settings` has
    for parts that are retrievers the keys of the recipe that say what they count in the feed.
    """

    feed: str
    metric: str
    leads: Mapping[str, Interval]
    settings: Mapping[str, str] = field(default_factory=dict)

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
            first = self.behind[0]
            others = f", as {_listed(self.behind[1:])} {_is(self.behind[1:])}" if self.behind[1:] else ""
            return (
                f"{_listed([first])} alone beats {self.feed} at {self.metric}, beyond doubt: by "
                f"{_format_lag(self.leads[first])}{others}. {self._advice(first, app)}"
            )
        if self.level:
            best = min(self.level, key=lambda name: self.leads[name].mean)
            if self.leads[best].mean < 0:
                return (
                    f"{_listed([best])} alone was ahead of {self.feed} at {self.metric}, which may be chance: by "
                    f"{_format_lag(self.leads[best])}. Later events, or more --requests, tell. "
                    f"{self._advice(best, app)}"
                )
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

    def _advice(self, part: str, app: str) -> str:
        """What to do about a part that is ahead."""
        tune = f"homefeed train {app} --tune 10m looks for better weights"
        if part == WEEK_POPULAR:  # a yardstick: no part proposes it
            return f"{tune}; or give more to the retriever trending, which is nearest to that."
        key = self.settings.get(part)
        return f"{tune}; or raise {key} in the recipe." if key else f"{tune}; or serve that instead."

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
    metric: str,
    systems: Sequence[System],
    values: Values,
    users: Codes,
    seed: int,
    feeds: Mapping[str, FeedRecipe] | None = None,
) -> tuple[Verdict, ...]:
    """The verdict on each feed; `users` (requests,) says whose each request is, as in `values`.

    `feeds` are those of the recipe: they tell which settings say what a part counts.
    """
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
        settings = {} if feeds is None else _settings(feeds[feed.feed], systems)
        found.append(Verdict(feed.name, metric, leads, settings))
    return tuple(found)


def _settings(feed: FeedRecipe, systems: Sequence[System]) -> dict[str, str]:
    """By system that is a retriever of the feed, the key of the recipe that says what it counts there."""
    config = feed.rank.config
    named = config.named_features if isinstance(config, NamesFeatures) else {}
    keys = {name: place for place, name in named.items() if not place.startswith("fixed.")}
    return {
        system.name: f"feeds.{feed.name}.rank.{feed.rank.name}.{keys[system.retriever]}"
        for system in systems
        if system.retriever in keys and feed.name in system.feeds
    }


def _is(names: Sequence[str]) -> str:
    return "do" if len(names) > 1 else "does"


def _listed(names: Sequence[str]) -> str:
    quoted = [f'"{name}"' if "," in name else name for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _format(lead: Interval) -> str:
    return f"{lead.mean:+.4f} [{lead.low:+.4f}, {lead.high:+.4f}]"


def _format_lag(lead: Interval) -> str:
    return f"{-lead.mean:.4f} [{-lead.high:.4f}, {-lead.low:.4f}]"
