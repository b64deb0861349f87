"""One training, in a process of its own, and what it cost.

    python -m benchmarks.spark.worker REQUEST.json

The request is that of `cf.processes`: the engine is its action.
"""

from __future__ import annotations

import importlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.dataset as ds

from benchmarks.spark.events import NO_EVENTS, NOW, read_events
from benchmarks.spark.memory import Peaks
from homefeed.recipe.parts import find_part
from homefeed.train.spark.data import SparkData
from homefeed.train.spark.session import spark_session
from homefeed.types import Interactions, TrainingData


def main() -> None:
    """Do what is asked."""
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    engines: dict[str, Callable[..., dict[str, Any]]] = {"local": local, "spark": on_spark}
    engine = engines[request.pop("action")]
    answer = Path(request.pop("answer"))
    answer.write_text(json.dumps(engine(**request)), encoding="utf-8")


def local(model: str, events: str, seed: int, lists: str) -> dict[str, Any]:
    """By the trainer of one machine."""
    kind: Any = find_part("trainer", model)
    trainer = kind(kind.Config())
    data = _about(Path(events), seed)
    with Peaks() as peaks:
        start = time.perf_counter()
        fitted = trainer.fit(data(read_events(Path(events))))
        seconds = time.perf_counter() - start
    _save(fitted, lists)
    return {"seconds": round(seconds, 2), "cpu_seconds": peaks.cpu_seconds(), **peaks.megabytes()}


def on_spark(model: str, events: str, seed: int, lists: str, master: str, memory: str) -> dict[str, Any]:
    """By the trainer on Spark, in a session of its own."""
    name = "".join(word.capitalize() for word in model.split("_"))
    kind: Any = getattr(importlib.import_module(f"homefeed.train.spark.{model}"), f"Spark{name}Trainer")
    trainer = kind(kind.Config())
    about = _about(Path(events), seed)(NO_EVENTS)
    with tempfile.TemporaryDirectory(prefix="homefeed-spark-log-") as log:
        settings = {
            "spark.driver.memory": memory,
            "spark.executor.memory": memory,
            "spark.eventLog.enabled": "true",
            "spark.eventLog.compress": "false",
            "spark.eventLog.rolling.enabled": "false",
            "spark.eventLog.dir": f"file://{log}",
        }
        with Peaks() as peaks, spark_session("benchmark", master, settings) as session:
            start = time.perf_counter()
            fitted = trainer.fit(SparkData(session.read.parquet(events), about))
            seconds = time.perf_counter() - start
        tasks = shuffled(Path(log))
    _save(fitted, lists)
    cost = {"seconds": round(seconds, 2), "cpu_seconds": peaks.cpu_seconds(), **tasks}
    return {**cost, **peaks.megabytes()}


def shuffled(log: Path) -> dict[str, float]:
    """Of Spark's log of events: the seconds of its tasks, and the megabytes they wrote to be shuffled."""
    written = seconds = 0.0
    for file in (file for file in log.rglob("*") if file.is_file() and not file.name.startswith(".")):
        for line in file.read_text(encoding="utf-8").splitlines():
            told = json.loads(line) if line.startswith('{"Event":"SparkListenerTaskEnd"') else {}
            metrics = told.get("Task Metrics") or {}
            seconds += metrics.get("Executor Run Time", 0) / 1e3
            written += metrics.get("Shuffle Write Metrics", {}).get("Shuffle Bytes Written", 0) / 1e6
    return {"task_seconds": round(seconds, 2), "shuffle_mb": round(written, 1)}


def _about(events: Path, seed: int) -> Callable[[Interactions], TrainingData]:
    """The training data of such events: users and items are as many as there are."""
    batches = ds.dataset(events).to_batches(columns=["user", "item"])
    largest = [[pc.max(batch[name]).as_py() for name in ("user", "item")] for batch in batches if len(batch)]
    users, items = (max(column) + 1 for column in zip(*largest, strict=True))
    numbers = np.arange(items, dtype=np.int32)
    return lambda interactions: TrainingData(interactions, users, numbers, {}, NOW, seed)


def _save(model: Any, lists: str) -> None:
    """The neighbour lists, where the model is made of such."""
    if hasattr(model, "indptr"):
        np.savez(lists, indptr=model.indptr, indices=model.indices)


if __name__ == "__main__":
    main()
