"""The overview of an app over HTTP: rates over time, what changed, models, jobs and imports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import Query
from pydantic import BaseModel

from homefeed.api.access import needs
from homefeed.api.context import App, InContext
from homefeed.api.measures import ProposedOut, SeriesOut, proposed_out, series_out
from homefeed.api.routing import Router, StrictRoute
from homefeed.dataset.intervals import CONFIDENCE
from homefeed.dataset.measures import SCORE_BOUNDS
from homefeed.dataset.overview import MOST_DAYS, Change, Overview
from homefeed.recipe import Recipe
from homefeed.store import Store
from homefeed.store.job_runs import BY_HAND, JobRun, latest_job_runs
from homefeed.store.reports import StoredReport, list_reports
from homefeed.store.versions import trained_at
from homefeed.times import format_duration, format_time
from homefeed.types import SECOND

router = Router(prefix="/v1/apps", tags=["apps"], route_class=StrictRoute)

_RUNS: Final = 5
_REPORTS: Final = 10
_REASONS: Final = 3


class ChangeOut(BaseModel):
    """When a `ranker` of a feed, or a version of a `model`, served for the first time."""

    time: str
    kind: Literal["ranker", "model"]
    feed: str | None
    name: str
    version: str | None


class ModelOut(BaseModel):
    """A model that serves. `trained_at` and its age are null where the version does not tell."""

    model: str
    version: str
    trained_at: str | None
    age_seconds: float | None


class JobRunOut(BaseModel):
    """A run of a job. `seconds` is how long it took, or has been at work; `done` of `total` steps are done."""

    run_id: str
    started: str
    ended: str | None
    seconds: float
    outcome: Literal["running", "done", "failed", "stopped"]
    done: int
    total: int
    detail: str


class JobOut(BaseModel):
    """A job and its latest runs, newest first. `every` is null of trainings by hand."""

    job: str
    every: str | None
    runs: list[JobRunOut]


class ReasonOut(BaseModel):
    """Why rows were rejected, and how many."""

    reason: str
    rows: int


class FileOut(BaseModel):
    """The outcome of a file's rows; `reasons` are the most frequent ones of those rejected."""

    kind: str
    rows: int
    loaded: int
    rejected: int
    duplicates: int
    warnings: int
    reasons: list[ReasonOut]


class ReportOut(BaseModel):
    """An import; one that is not `finished` was cut short, or is still at it."""

    created_at: str
    finished: bool
    seconds: float | None
    files: list[FileOut]


class EventsOut(BaseModel):
    """How many events were put down to an item shown, by the request named or by time, and how many to none."""

    by_request: int
    by_time: int
    to_none: int


class OverviewOut(BaseModel):
    """An app at a glance, from `since` to `until`, from the impressions and events of the store.

    `read_from` is later than `since` where more pages were shown than are read: then it is all from there on.
    Periods are as long as `every`. `total` is null where nothing was shown. `main_type` is the event type that the
    app is for: of those of its goal the one of the largest weight. `confidence` is that of all intervals.
    """

    app: str
    since: str
    until: str
    read_from: str
    every: Literal["hour", "day"]
    event_types: list[str]
    click_types: list[str]
    main_type: str | None
    confidence: float
    catalogue_items: int
    score_bounds: list[float]
    total: SeriesOut | None
    feeds: list[SeriesOut]
    rankers: list[SeriesOut]
    versions: list[SeriesOut]
    visits: list[SeriesOut]
    retrievers: list[ProposedOut]
    changes: list[ChangeOut]
    events: EventsOut
    models: list[ModelOut]
    jobs: list[JobOut]
    reports: list[ReportOut]


@router.get("/{app}/overview")
@needs("read")
async def overview(
    context: InContext,
    app: App,
    days: Annotated[
        int, Query(ge=1, le=MOST_DAYS, description="The days that it spans, today included; up to 2 by the hour.")
    ] = 7,
) -> OverviewOut:
    """Click-through and other rates over time by feed, retriever, ranker, model version, new and returning users.

    It is computed beside the requests and kept for a minute, or for longer where it takes long.
    """
    return await context.overviews.of(app.recipe, app.model_versions, app.environment.clock(), days)


async def with_state(
    store: Store, recipe: Recipe, found: Overview, versions: Mapping[str, str], now: int
) -> OverviewOut:
    """An overview with what else the store tells: the runs of jobs, and imports."""
    jobs = {name: format_duration(job.period) for name, job in recipe.jobs.items()}
    size = found.catalogue_items
    runs = {job: await latest_job_runs(store, recipe.app, _RUNS, job) for job in (*jobs, BY_HAND)}
    return OverviewOut(
        app=found.app,
        since=format_time(found.since),
        until=format_time(found.until),
        read_from=format_time(found.read_from),
        every=found.every,
        event_types=list(found.event_types),
        click_types=list(found.click_types),
        main_type=found.main_type,
        confidence=CONFIDENCE,
        catalogue_items=found.catalogue_items,
        score_bounds=list(SCORE_BOUNDS),
        total=None if found.total is None else series_out(found.total, size),
        feeds=[series_out(one, size) for one in found.feeds],
        rankers=[series_out(one, size) for one in found.rankers],
        versions=[series_out(one, size) for one in found.versions],
        visits=[series_out(one, size) for one in found.visits],
        retrievers=[proposed_out(one) for one in found.proposed],
        changes=[_change(one) for one in found.changes],
        events=EventsOut(
            by_request=found.tally.by_request, by_time=found.tally.by_time, to_none=found.tally.to_none
        ),
        models=[_model(name, version, now) for name, version in versions.items()],
        jobs=[
            JobOut(job=job, every=jobs.get(job), runs=[_run(run, now) for run in of_job])
            for job, of_job in runs.items()
            if of_job or job in jobs
        ],
        reports=[_report(report) for report in await list_reports(store, recipe.app, _REPORTS)],
    )


def _change(found: Change) -> ChangeOut:
    return ChangeOut(
        time=format_time(found.time), kind=found.kind, feed=found.feed, name=found.name, version=found.version
    )


def _model(name: str, version: str, now: int) -> ModelOut:
    time = trained_at(version)
    if time is None:
        return ModelOut(model=name, version=version, trained_at=None, age_seconds=None)
    age = max(now - time, 0) / SECOND
    return ModelOut(model=name, version=version, trained_at=format_time(time), age_seconds=age)


def _run(run: JobRun, now: int) -> JobRunOut:
    end = run.ended if run.ended is not None else now
    return JobRunOut(
        run_id=run.run_id,
        started=format_time(run.started),
        ended=None if run.ended is None else format_time(run.ended),
        seconds=max(end - run.started, 0) / SECOND,
        outcome=run.outcome,
        done=run.done,
        total=run.total,
        detail=run.detail,
    )


def _report(stored: StoredReport) -> ReportOut:
    report = stored.report
    return ReportOut(
        created_at=format_time(stored.created_at),
        finished=bool(report.get("finished")),
        seconds=report.get("seconds"),
        files=[_file(kind, file) for kind, file in _tables(report.get("files"))],
    )


def _file(kind: str, file: Mapping[str, Any]) -> FileOut:
    tallies = {name: file.get(name) or {} for name in ("rejected", "duplicates", "warnings")}
    reasons: Sequence[Mapping[str, Any]] = tallies["rejected"].get("reasons", ())
    return FileOut(
        kind=kind,
        rows=file.get("rows", 0),
        loaded=file.get("loaded", 0),
        **{name: tally.get("total", 0) for name, tally in tallies.items()},
        reasons=[ReasonOut(reason=one["reason"], rows=one["count"]) for one in reasons[:_REASONS]],
    )


def _tables(files: object) -> Iterable[tuple[str, Mapping[str, Any]]]:
    return files.items() if isinstance(files, dict) else ()
