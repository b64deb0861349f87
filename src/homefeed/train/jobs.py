"""The training job: one read of the log, every model of the recipe, each published when it is fitted."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from filelock import FileLock, Timeout

from homefeed.engine import fit_model, fit_signals, prepare
from homefeed.errors import HomefeedError
from homefeed.protocols import Model
from homefeed.recipe import Recipe
from homefeed.serving.clock import Outside
from homefeed.serving.models import SIGNALS
from homefeed.serving.training import read_log
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


async def train_app(
    recipe: Recipe,
    store: Store,
    artifacts: ArtifactStore,
    outside: Outside,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> Trained:
    """Train and publish every model of an app. `progress` is called with (stage, done, total).

    Raises:
        HomefeedError: there is nothing to train on, or another training of this app is running.
    """
    started = time.perf_counter()
    report = progress or (lambda _stage, _done, _total: None)
    folder = artifacts.root / recipe.app
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".training.lock", timeout=0):
            log = await read_log(
                store,
                recipe,
                now=outside.clock(),
                seed=seed,
                progress=lambda n, of: report("reading events", n, of),
            )
            if not log.catalog.size:
                raise HomefeedError(f"{recipe.app} has no items yet; import some first: homefeed import --help")
            prepared = prepare(recipe, log.data)
            manifests = []

            def publish(name: str, part: str, model: Model, config: dict[str, object], began: float) -> None:
                facts = {
                    "users": log.data.user_count,
                    "items": log.data.item_count,
                    "events": len(log.data.interactions),
                    "seconds": round(time.perf_counter() - began, 3),
                }
                manifests.append(
                    artifacts.publish(
                        recipe.app,
                        name,
                        part,
                        model,
                        now=log.data.now,
                        watermark=log.watermark,
                        config=config,
                        facts=facts,
                    )
                )
                report(f"training {name}", 1, 1)

            # Signals come last: a server that sees new models before new counters is only a moment behind,
            # never ahead.
            for spec in recipe.models:
                report(f"training {spec.name}", 0, 1)
                began = time.perf_counter()
                publish(spec.name, spec.part, fit_model(spec, prepared.data), spec.config.model_dump(), began)
            began = time.perf_counter()
            config = recipe.signals.model_dump()
            publish(SIGNALS, SIGNALS, fit_signals(recipe, prepared, log.watermark), config, began)
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
