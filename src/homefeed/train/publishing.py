"""What a training makes and publishes, and what it finds published by a run of the same job that was stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from homefeed.protocols import Model
from homefeed.recipe import JobSpec, find_part
from homefeed.retrieve.cells import CellModel, CellsConfig
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore, Manifest
from homefeed.store.job_runs import KEPT_RUNS, latest_job_runs
from homefeed.store.verdicts import verdicts_of
from homefeed.train.cells import Arranged, arranged
from homefeed.train.lease import Turn
from homefeed.types import TrainingData


@dataclass(frozen=True, slots=True)
class Fit:
    """A model to fit, and the seconds that were spent on it before."""

    name: str
    part: str
    config: Mapping[str, Any]
    run: Callable[[], Model]
    tuning: Mapping[str, Any] | None = None
    seconds: float = 0.0
    verdict: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Publisher:
    """Fits and publishes an app's models, made of `data`, each in a transaction that holds the lease."""

    artifacts: ArtifactStore
    turn: Turn
    data: TrainingData
    watermark: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What manifests say besides, or instead: where the events are elsewhere, how many, and how it was made."""

    async def publish(self, fit: Fit) -> Manifest:
        """Fit a model, and make it the current one.

        Raises:
            LeaseLostError: the lease is over; the model before stays.
        """
        app, stage = self.turn.run.app, f"training {fit.name}"
        self.turn.report(stage, 0, 1)
        began = time.perf_counter()
        made = self._arranged(fit, fit.run())
        facts = self._facts(fit, time.perf_counter() - began) | made.facts
        how: dict[str, Any] = {
            "now": self.data.now,
            "watermark": self.watermark,
            "config": fit.config,
            "facts": facts,
        }
        self.artifacts.clear_drafts(app, fit.name)
        with self.artifacts.drafting(app, fit.name, fit.part, made.model, **how) as draft:
            async with self.turn.fenced():
                manifest = draft.publish()
        self.turn.report(stage, 1, 1)
        return manifest

    def _arranged(self, fit: Fit, model: Model) -> Arranged:
        if not isinstance(model, CellModel):
            return Arranged(model, {})
        config = find_part("model", fit.part).Config.model_validate(fit.config)
        is_told = isinstance(config, CellsConfig)
        return arranged(model, config.exact_below, self.data.seed) if is_told else Arranged(model, {})

    def _facts(self, fit: Fit, seconds: float) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "users": self.data.user_count,
            "items": self.data.item_count,
            "events": len(self.data.interactions),
            "seconds": round(fit.seconds + seconds, 3),
            "run": self.turn.run.run_id,
            **self.facts,
        }
        if fit.tuning is not None:
            facts["tuning"] = dict(fit.tuning)
        if fit.verdict is not None:
            facts["verdict"] = dict(fit.verdict)
        return facts


@dataclass(frozen=True, slots=True)
class Before:
    """What the runs made that were stopped since the job was last done: the next one goes on from there."""

    artifacts: ArtifactStore
    app: str
    runs: frozenset[str] = frozenset()

    def has_published(self, name: str, part: str, config: Mapping[str, Any]) -> bool:
        """Whether they published a model, and it would be made by the same settings now."""
        manifest = self.artifacts.manifest(self.app, name) if self.runs else None
        if manifest is None or manifest.facts.get("run") not in self.runs:
            return False
        return manifest.part == part and manifest.config == orjson.loads(orjson.dumps(dict(config)))

    def has_judged(self, name: str) -> bool:
        """Whether they judged a learned ranker."""
        latest = next(iter(verdicts_of(self.artifacts.root, self.app, name)), None) if self.runs else None
        return latest is not None and latest.get("run") in self.runs


async def stopped_before(store: Store, artifacts: ArtifactStore, turn: Turn, job: JobSpec) -> Before:
    """What a run of a job goes on from: runs right before it, none ended, begun within the period of the job."""
    earliest = turn.run.started - job.period
    found = set()
    for run in await latest_job_runs(store, turn.run.app, KEPT_RUNS, job.name):
        if run.run_id == turn.run.run_id:
            continue
        if run.outcome != "stopped" or run.started <= earliest:
            break
        found.add(run.run_id)
    return Before(artifacts, turn.run.app, frozenset(found))
