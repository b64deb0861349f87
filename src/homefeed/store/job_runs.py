"""The runs of an app's jobs: when each began, how far it is and how it ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final, Literal, TypeAlias, get_args

import sqlalchemy as sa

from homefeed.store.session import Store
from homefeed.store.tables import job_runs

BY_HAND: Final = "by hand"
"""What stands for the job of a training that is of none. It has a space, so no recipe's job has that name."""
KEPT_RUNS: Final = 200
"""How many runs of each job are kept, the latest."""
LONGEST_DETAIL: Final = 1_000
"""How many characters of a detail are kept."""

Outcome: TypeAlias = Literal["running", "done", "failed", "stopped"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
"""A run that was stopped was killed, or its machine went off: it could not say so itself."""

_runs: Final = job_runs.c


@dataclass(frozen=True, slots=True)
class JobRun:
    """A run of a job. Times are in microseconds since 1970; `ended` is None while nobody knows of an end.

    `heartbeat` is when it was last known to be alive. `done` of `total` steps of its present stage are done;
    `detail` names the stage, or says why the run failed.
    """

    app: str
    job: str
    run_id: str
    started: int
    heartbeat: int
    ended: int | None = None
    outcome: Outcome = "running"
    done: int = 0
    total: int = 0
    detail: str = ""


async def start_job_run(store: Store, app: str, job: str, run_id: str, now: int) -> JobRun:
    """Note that a run begins. The caller holds the lease of the app's jobs, so any other that runs was stopped."""
    run = JobRun(app, job, run_id, now, now)
    async with store.write() as connection:
        await connection.execute(
            job_runs.update()
            .where(_runs.app == app, _runs.outcome == "running")
            .values(outcome="stopped", ended=_runs.heartbeat)
        )
        await connection.execute(job_runs.insert().values(**asdict(run)))
        ranks = sa.func.row_number().over(order_by=(_runs.started.desc(), _runs.run_id.desc()))
        of_job = sa.select(_runs.run_id, ranks.label("rank")).where(_runs.app == app, _runs.job == job).subquery()
        old = sa.select(of_job.c.run_id).where(of_job.c.rank > KEPT_RUNS)
        await connection.execute(job_runs.delete().where(_runs.app == app, _runs.run_id.in_(old)))
    return run


async def beat_job_run(
    store: Store, app: str, run_id: str, now: int, *, done: int = 0, total: int = 0, detail: str = ""
) -> bool:
    """Note that a run is alive, and how far it is; returns whether it still counts as running."""
    values: dict[str, int | str] = {
        "heartbeat": now,
        "done": done,
        "total": total,
        "detail": detail[:LONGEST_DETAIL],
    }
    return await _update(store, app, run_id, values)


async def end_job_run(store: Store, app: str, run_id: str, now: int, outcome: Outcome, detail: str = "") -> bool:
    """Note how a run ended; returns whether it counted as running until then."""
    values: dict[str, int | str] = {
        "heartbeat": now,
        "ended": now,
        "outcome": outcome,
        "detail": detail[:LONGEST_DETAIL],
    }
    return await _update(store, app, run_id, values)


async def latest_job_runs(store: Store, app: str, limit: int, job: str | None = None) -> list[JobRun]:
    """Up to `limit` runs of an app, of all its jobs or of one, newest first."""
    query = sa.select(*(_runs[name] for name in JobRun.__dataclass_fields__)).where(_runs.app == app)
    if job is not None:
        query = query.where(_runs.job == job)
    query = query.order_by(_runs.started.desc(), _runs.run_id.desc()).limit(limit)
    async with store.read() as connection:
        return [JobRun(*row) for row in await connection.execute(query)]


async def _update(store: Store, app: str, run_id: str, values: dict[str, int | str]) -> bool:
    running = (_runs.app == app, _runs.run_id == run_id, _runs.outcome == "running")
    async with store.write() as connection:
        return bool((await connection.execute(job_runs.update().where(*running).values(**values))).rowcount)
