"""How a new ranker did beside what serves, in numbers and in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from homefeed.evaluate.bootstrap import Interval
from homefeed.evaluate.lists import Source
from homefeed.times import format_time


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a new ranker did beside the one that serves, on requests that it had not seen, the latest of all.

    `lead` is the paired difference of the goal's `metric`, with its interval over users; coverage counts the
    different items in the first ten of all lists. It is `taken` where all of the interval is above 0 and it shows
    at least nine tenths as many items as the one that serves.

    The requests are those of the `source`: of pages shown the items shown are re-ordered, no others. It was
    `learned_from` so many of them, or pages, the last of the time `learned_until`; `seen_before` tells that what
    serves had learned from some of those that judge.
    """

    metric: str
    requests: int
    serving: str
    serving_mean: float
    learned_mean: float
    lead: Interval
    serving_coverage: int
    coverage: int
    taken: bool
    source: Source = "history"
    learned_from: int = 0
    learned_until: int | None = None
    seen_before: bool = False

    @property
    def finding(self) -> str:
        """The same in a few words."""
        if self.taken:
            return "taken"
        if self.lead.low > 0:
            return f"not taken, it shows {self.coverage:,} items instead of {self.serving_coverage:,}"
        return "not taken, it is not ahead beyond doubt"

    @property
    def sentence(self) -> str:
        """The same with the figures."""
        beside = f"{self.metric} {self.learned_mean:.4f} beside {self.serving_mean:.4f} of {self.serving}"
        lead = f"{self.lead.mean:+.4f} [{self.lead.low:+.4f}, {self.lead.high:+.4f}]"
        what = "items shown by the latest" if self.source == "shown" else "latest"
        return f"{self.finding}: {beside} on the {what} {self.requests:,} requests, {lead}; {self._learned}"

    @property
    def _learned(self) -> str:
        """What from, and whether what it is beside knew the answers."""
        pages = f"learned from {self.learned_from:,} pages shown"
        learned = pages if self.source == "shown" else "learned from history"
        return f"{learned}; what serves had learned from some of these requests" if self.seen_before else learned

    def to_json(self) -> dict[str, Any]:
        """The same for a file."""
        until = None if self.learned_until is None else format_time(self.learned_until)
        told = {"finding": self.finding, "why": self.sentence, "learned_until": until}
        return asdict(self) | {"lead": list(self.lead), **told}
