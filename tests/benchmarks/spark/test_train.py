"""What the benchmark of training on Spark makes of its events, lists and Spark's log."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.cf.synthetic import sizes
from benchmarks.spark import events
from benchmarks.spark.memory import Peaks
from benchmarks.spark.train import laws_of, overlap
from benchmarks.spark.worker import shuffled


def test_events_come_back_in_the_order_of_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_FILE", 700)
    told = events.write_events(tmp_path / "events", 2_000, 3)
    assert (told["users"], told["items"]) == sizes(2_000)
    assert len(list((tmp_path / "events").iterdir())) == 3
    found = events.read_events(tmp_path / "events")
    assert len(found) == told["events"] == len({*zip(found.users.tolist(), found.items.tolist(), strict=True)})
    assert (np.diff(found.times) >= 0).all()
    assert found.times[-1] < events.NOW
    # Four a day, a minute apart.
    day = found.times[found.users == found.users[0]][:4]
    assert np.diff(day).tolist() == [60_000_000] * (len(day) - 1)


def test_overlap_is_of_the_first_neighbours(tmp_path: Path) -> None:
    files = tmp_path / "one.npz", tmp_path / "other.npz"
    lists = [[1, 2], [], [0]], [[2, 3], [], [0]]
    for file, rows in zip(files, lists, strict=True):
        starts = np.cumsum([0, *map(len, rows)])
        np.savez(file, indptr=starts, indices=np.array([other for row in rows for other in row], np.int32))
    assert overlap(*files) == 0.75


def test_laws_are_of_each_model_and_engine() -> None:
    points = [
        {"model": "item_item", "engine": engine, "events": n, "cpu_seconds": factor * n, "all_mb": 7.0}
        for engine, factor in (("local", 0.01), ("spark", 0.02))
        for n in (100, 1_000)
    ]
    laws = laws_of(points)
    assert laws["item_item spark"]["cpu_seconds"] == {"a": 0.02, "b": 1.0}
    assert laws["item_item local"]["all_mb"] == {"a": 7.0, "b": 0.0}


def test_what_tasks_shuffled_is_read_from_the_log_of_spark(tmp_path: Path) -> None:
    metrics = {"Executor Run Time": 1_500, "Shuffle Write Metrics": {"Shuffle Bytes Written": 2_000_000}}
    told = [{"Event": "SparkListenerTaskEnd", "Task Metrics": metrics}] * 2 + [{"Event": "SparkListenerJobEnd"}]
    lines = [json.dumps(each, separators=(",", ":")) for each in told]
    (tmp_path / "local-1").write_text("\n".join(lines), encoding="utf-8")
    assert shuffled(tmp_path) == {"task_seconds": 3.0, "shuffle_mb": 4.0}


def test_peaks_and_seconds_are_of_this_process_at_least() -> None:
    with Peaks() as peaks:
        begun = time.process_time()
        while time.process_time() < begun + 0.05:
            pass
    found = peaks.megabytes()
    assert found["driver_mb"] > 10
    assert found["all_mb"] >= found["driver_mb"]
    assert peaks.cpu_seconds() >= 0.03
