"""When jobs ran last and how that ended, and how old models are, for Prometheus: as the store tells it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.job_runs import OUTCOMES, JobRun, latest_job_runs
from homefeed.store.versions import trained_at
from homefeed.types import SECOND

_RUNS: Final = 50
"""In how many runs of each job the last success is looked for."""
_JOB: Final = ("app", "job")


@dataclass(frozen=True, slots=True)
class JobState:
    """A job's period in microseconds, its latest runs, and of these the last that ended and that ended well."""

    period: int
    latest: JobRun | None
    ended: JobRun | None
    done: JobRun | None


async def job_states(store: Store, recipe: Recipe) -> dict[str, JobState]:
    """The jobs of an app."""
    found = {}
    for name, job in recipe.jobs.items():
        runs = await latest_job_runs(store, recipe.app, _RUNS, name)
        ended = [run for run in runs if run.ended is not None]
        done = [run for run in ended if run.outcome == "done"]
        found[name] = JobState(job.period, *(next(iter(some), None) for some in (runs, ended, done)))
    return found


class JobMetrics(Collector):
    """The gauges `homefeed_job_...` and `homefeed_model_trained_timestamp_seconds`.

    Every server of a store tells the same of jobs: take the maximum, not the sum.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._jobs: dict[str, Mapping[str, JobState]] = {}
        self._models: dict[str, Mapping[str, str]] = {}
        registry.register(self)

    def set(self, app: str, jobs: Mapping[str, JobState], models: Mapping[str, str]) -> None:
        """Take over the jobs of an app, and the versions of models that serve."""
        self._jobs[app], self._models[app] = jobs, models

    def describe(self) -> list[GaugeMetricFamily]:
        """The gauges without values: registering needs their names alone."""
        return list(_families().values())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The gauges as of the last time that they were taken over."""
        made = _families()
        for app, jobs in self._jobs.items():
            for job, state in jobs.items():
                made["period"].add_metric((app, job), state.period / SECOND)
                _add_runs(made, (app, job), state)
            for model, version in self._models[app].items():
                if (time := trained_at(version)) is not None:
                    made["trained"].add_metric((app, model), time / SECOND)
        yield from made.values()


def _add_runs(made: Mapping[str, GaugeMetricFamily], labels: tuple[str, str], state: JobState) -> None:
    if state.latest is not None:
        made["started"].add_metric(labels, state.latest.started / SECOND)
        for outcome in OUTCOMES:
            made["outcome"].add_metric((*labels, outcome), state.latest.outcome == outcome)
    if state.ended is not None and state.ended.ended is not None:
        made["duration"].add_metric(labels, (state.ended.ended - state.ended.started) / SECOND)
    if state.done is not None and state.done.ended is not None:
        made["success"].add_metric(labels, state.done.ended / SECOND)


def _families() -> dict[str, GaugeMetricFamily]:
    told = {
        "period": ("job_period_seconds", "How often a job is due.", _JOB),
        "started": ("job_last_start_timestamp_seconds", "When the latest run of a job began.", _JOB),
        "success": ("job_last_success_timestamp_seconds", "When a job last ended well.", _JOB),
        "duration": ("job_last_duration_seconds", "How long the last run of a job that ended took.", _JOB),
        "outcome": (
            "job_last_outcome",
            "1 for how the latest run of a job ended, else 0.",
            (*_JOB, "outcome"),
        ),
        "trained": ("model_trained_timestamp_seconds", "When a model that serves was trained.", ("app", "model")),
    }
    return {
        key: GaugeMetricFamily(f"homefeed_{name}", about, labels=labels)
        for key, (name, about, labels) in told.items()
    }
