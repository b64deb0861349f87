"""The training job: one read of the log, every model of the recipe, each published when it is fitted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from homefeed.engine import fit_model, fit_signals, prepare, with_text_model
from homefeed.errors import HomefeedError
from homefeed.protocols import Model
from homefeed.recipe import Recipe
from homefeed.serving.clock import Outside
from homefeed.serving.models import SIGNALS
from homefeed.serving.training import LogData, read_log
from homefeed.store import Store
from homefeed.store.artifacts import ArtifactStore, Manifest

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training run made, and of what."""

    app: str
    users: int
    items: int
    events: int
    seconds: float
    manifests: tuple[Manifest, ...]


@dataclass(frozen=True, slots=True)
class _Fit:
    """A model that is to be fitted."""

    name: str
    part: str
    config: Mapping[str, Any]
    run: Callable[[], Model]


async def train_app(
    recipe: Recipe,
    store: Store,
    artifacts: ArtifactStore,
    outside: Outside,
    *,
    seed: int = 0,
    text_model: Path | None = None,
    progress: Progress | None = None,
) -> Trained:
    """Train and publish every model of an app. `progress` is called with (stage, done, total).

    `text_model` is for models that can use one and whose recipe names none.

    Raises:
        HomefeedError: there is nothing to train on, or another training of this app is running.
    """
    started = time.perf_counter()
    report = progress or _silence
    folder = artifacts.root / recipe.app
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".training.lock", timeout=0):
            reading = partial(report, "reading events")
            log = await read_log(store, recipe, now=outside.clock(), seed=seed, progress=reading)
            if not log.catalog.size:
                raise HomefeedError(f"{recipe.app} has no items yet; import some first: homefeed import --help")
            manifests = [_published(recipe, artifacts, log, fit, report) for fit in _fits(recipe, log, text_model)]
    except Timeout:
        raise HomefeedError(f"another training of {recipe.app} is running; wait for it to end") from None
    return Trained(
        recipe.app,
        log.data.user_count,
        log.data.item_count,
        len(log.data.interactions),
        time.perf_counter() - started,
        tuple(manifests),
    )


def _fits(recipe: Recipe, log: LogData, text_model: Path | None) -> list[_Fit]:
    prepared = prepare(recipe, log.data)
    fits = [
        _Fit(spec.name, spec.part, spec.config.model_dump(), partial(fit_model, spec, prepared.data))
        for spec in with_text_model(recipe, text_model).models
    ]
    # Signals come last: a server that sees new models before new counters is a moment behind, never ahead.
    count = partial(fit_signals, recipe, prepared, log.watermark)
    return [*fits, _Fit(SIGNALS, SIGNALS, recipe.signals.model_dump(), count)]


def _published(recipe: Recipe, artifacts: ArtifactStore, log: LogData, fit: _Fit, report: Progress) -> Manifest:
    report(f"training {fit.name}", 0, 1)
    began = time.perf_counter()
    model = fit.run()
    facts = {
        "users": log.data.user_count,
        "items": log.data.item_count,
        "events": len(log.data.interactions),
        "seconds": round(time.perf_counter() - began, 3),
    }
    manifest = artifacts.publish(
        recipe.app,
        fit.name,
        fit.part,
        model,
        now=log.data.now,
        watermark=log.watermark,
        config=fit.config,
        facts=facts,
    )
    report(f"training {fit.name}", 1, 1)
    return manifest


def _silence(_stage: str, _done: int, _total: int) -> None:
    pass
