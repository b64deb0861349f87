"""An app's jobs: when which of its models are trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from homefeed.recipe.declaration import BLEND, SIGNALS, Job

_USUAL: Final = {"hourly": Job(every="1h", models=(SIGNALS,)), "daily": Job(every="1d", at="03:15")}
"""The jobs of an app that declares none: counting is cheap, and models change little in an hour."""


@dataclass(frozen=True, slots=True)
class JobSpec:
    """A job and all it trains: due every `period`, `offset` after a multiple of it since 1970, in microseconds."""

    name: str
    period: int
    offset: int
    models: tuple[str, ...]

    def last_time(self, now: int) -> int:
        """When it was due last, at the latest now."""
        return now - (now - self.offset) % self.period

    def next_time(self, now: int) -> int:
        """When it is due next after `now`, in microseconds since 1970."""
        return now + self.period - (now - self.offset) % self.period


def jobs_of(declared: Mapping[str, Job], models: Iterable[str]) -> dict[str, JobSpec]:
    """The jobs of a recipe whose models have these names."""
    every = (*models, BLEND, SIGNALS)
    return {
        name: JobSpec(name, job.period, job.offset, job.models or every)
        for name, job in (declared or _USUAL).items()
    }
