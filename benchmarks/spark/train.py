"""Trains the same models here and on Spark: prints one JSON line a model, engine and size, then the laws.

    python -m benchmarks.spark.train --events 100_000 1_000_000 --model item_item

The events are made up, see `spark.events`, and lie in a folder of Parquet files, which each training reads in a
process of its own. `seconds` are from the files to the model, `cpu_seconds` the processor's, of all processes of
this machine. `driver_mb`, `jvm_mb` and `worker_mb` are the peaks of Python's driver, of Spark's Java, and of the
largest of the Python processes it starts, `all_mb` of all of them together, each at its peak; `shuffle_mb` is what
Spark wrote for other tasks to read. `overlap` is the mean share of an item's first 20 neighbours that both engines
name. Spark runs in local mode unless a `--master` is named; its memory there is `--memory` for driver and executor
in one. A law is a n^b over the sizes of this run.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cf.processes import WorkerError, ask_worker
from benchmarks.cf.scale import growth
from benchmarks.spark.events import write_events

ENGINES = ("local", "spark")
MODELS = ("item_item", "association", "als", "content")
_WORKER = "benchmarks.spark.worker"
_TOP = 20


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every size, smallest first, and fit the laws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--model", choices=MODELS, nargs="+", default=["item_item", "association"])
    parser.add_argument("--engine", choices=ENGINES, nargs="+", default=list(ENGINES))
    parser.add_argument("--master", default="local[2]")
    parser.add_argument("--memory", default="2g", help="of Spark's Java: of each executor, and of the driver")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--folder", type=Path, help="where the events are written, for Spark of other machines")
    options = parser.parse_args(arguments)
    points = []
    with tempfile.TemporaryDirectory(prefix="homefeed-spark-", dir=options.folder) as name:
        for size in sorted(set(options.events)):
            shape = write_events(Path(name) / "events", size, options.seed)
            for model in options.model:
                try:
                    found = measure(Path(name), model, options)
                except WorkerError as error:
                    sys.exit(f"{model} of {size} events: {error}")
                points += [{"benchmark": "spark_train", "model": model, **shape, **point} for point in found]
                for point in points[-len(found) :]:
                    print(json.dumps(point), flush=True)
    print(json.dumps({"benchmark": "spark_train", "laws": laws_of(points)}))


def measure(folder: Path, model: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    """One point an engine; the last tells how much the lists are alike, where both were asked."""
    points = []
    request = {"model": model, "events": str(folder / "events"), "seed": options.seed}
    for engine in options.engine:
        lists = str(folder / f"{engine}.npz")
        spark = {"master": options.master, "memory": options.memory} if engine == "spark" else {}
        cost = ask_worker(_WORKER, sys.executable, folder, engine, **request, **spark, lists=lists)
        points.append({"engine": engine, **spark, **cost})
    files = [folder / f"{engine}.npz" for engine in ENGINES]
    if len(points) == len(ENGINES) and all(file.exists() for file in files):
        points[-1]["overlap"] = overlap(*files)
    for file in files:
        file.unlink(missing_ok=True)
    return points


def overlap(one: Path, other: Path) -> float:
    """The mean share of the first neighbours of an item that both name."""
    with np.load(one) as mine, np.load(other) as theirs:
        tops = [np.split(lists["indices"], lists["indptr"][1:-1]) for lists in (mine, theirs)]
    shares = [
        len(np.intersect1d(first[:_TOP], second[:_TOP])) / len(first[:_TOP])
        for first, second in zip(*tops, strict=True)
        if len(first)
    ]
    return round(float(np.mean(shares)), 4) if shares else 1.0


def laws_of(points: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How the processor's seconds and the megabytes of each model and engine grow with the events."""
    laws: dict[str, Any] = {}
    for model, engine in sorted({(point["model"], point["engine"]) for point in points}):
        own = [point for point in points if (point["model"], point["engine"]) == (model, engine)]
        sizes = [point["events"] for point in own]
        measures = ("cpu_seconds", "all_mb")
        laws[f"{model} {engine}"] = {key: growth(sizes, [point[key] for point in own]) for key in measures}
    return laws


if __name__ == "__main__":
    main()
