"""Training on a cluster of Spark, of which a worker is killed, then the driver: what is published is whole.

    python -m torture.spark --users 600 --items 1000 --events 20000

A master, two workers and `homefeed train shop --engine spark` are processes of their own; a server serves the
models meanwhile. `worker` tells of a worker killed with its executor in the middle of item_item: `lost_executors`
and `failed_tasks` are Spark's own count, `differ` the models whose files are others than those of the undisturbed
run. `driver` are drivers killed: all of one in the middle of the first model, then its Python, and its Java, in
the middle of item_item. `changed` are models that changed all the same, `broken` those that are not served as they
were published, `cores_free_seconds` when the cluster had its cores back. The last of them ran a job, which the run
`after` goes on with.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from homefeed.apps import find_recipe
from homefeed.serving.models import kinds_of
from homefeed.store.artifacts import ArtifactStore
from torture.lines import trial_folder, write_line
from torture.servers import COMMAND, HOST, Server, environment, fetch, serving
from torture.spark_cluster import MEMORY, Cluster, end_group, running_cluster, until

APP, JOB = "shop", "daily"
FIRST, BEFORE, MIDDLE = "content", "association", "item_item"
"""The first model that a training makes, the one before item_item, and item_item."""
COUNTED: Final = "exposures"
"""By the driver, from the store; the model says until when, which is another time in each run."""
_LONGEST_SECONDS: Final = 600.0
_COMPLETED: Final = b'{"Event":"SparkListenerStageCompleted"'
_SETTINGS: Final = {
    "spark.driver.host": HOST,
    "spark.driver.memory": "1g",
    "spark.executor.memory": MEMORY,
    "spark.default.parallelism": "4",
    "spark.sql.shuffle.partitions": "4",
    "spark.eventLog.enabled": "true",
    "spark.eventLog.compress": "false",
    "spark.eventLog.rolling.enabled": "false",
}


@dataclass
class Trial:
    """A shop, its models, and where Spark trains them."""

    folder: Path
    cluster: Cluster
    files: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """Of the undisturbed run: the SHA-256 of each file of each model."""
    stages: dict[str, int] = field(default_factory=dict)
    """Of the undisturbed run: how many of Spark's stages there were before the first model, and for item_item."""

    @property
    def artifacts(self) -> ArtifactStore:
        """The models."""
        return ArtifactStore(self.folder / "models")

    @property
    def settings(self) -> dict[str, str]:
        """Of every process."""
        return {"apps": APP, "database_url": f"sqlite:///{self.folder / 'homefeed.db'}"}

    def do(self, *command: str) -> None:
        """Run a command of Homefeed to its end."""
        process = self.begin(*command)
        assert process.wait(_LONGEST_SECONDS) == 0, self._told()

    def begin(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a command of Homefeed, in a group of its own."""
        (self.folder / "tmp").mkdir(exist_ok=True)
        spark = {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": HOST, "TMPDIR": str(self.folder / "tmp")}
        with (self.folder / "command.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-P", "-c", COMMAND, *command],
                env=environment(self.folder, self.settings) | spark,
                cwd=self.folder,
                start_new_session=True,
                stdout=log,
                stderr=log,
            )

    def begin_training(self, *job: str) -> subprocess.Popen[bytes]:
        """Start a training of all models on the cluster, by hand or of a job."""
        log = self.folder / "log"
        log.mkdir(exist_ok=True)
        settings = {**_SETTINGS, "spark.eventLog.dir": f"file://{log}"}
        told = [f"--spark-conf={key}={value}" for key, value in settings.items()]
        where = f"--spark-master={self.cluster.master}", "--input=days"
        return self.begin("train", APP, *job, "--engine=spark", *where, *told)

    def finish(self, training: subprocess.Popen[bytes]) -> None:
        """Wait for its end, which must be a good one."""
        assert training.wait(_LONGEST_SECONDS) == 0, self._told()

    def versions(self) -> dict[str, str | None]:
        """Which version of each model is to serve."""
        return {name: self.artifacts.current(APP, name) for name in kinds_of(find_recipe(APP))}

    def changed(self, before: Mapping[str, str | None]) -> list[str]:
        """The models that are other versions than before."""
        return [name for name, version in self.versions().items() if version != before[name]]

    def files_now(self) -> dict[str, Mapping[str, str]]:
        """The SHA-256 of each file of each model."""
        manifests = {name: self.artifacts.manifest(APP, name) for name in self.versions()}
        return {name: manifest.files for name, manifest in manifests.items() if manifest and name != COUNTED}

    def has(self, model: str) -> bool:
        """Whether a model was ever published."""
        return self.artifacts.current(APP, model) is not None

    def differing(self) -> list[str]:
        """The models that are not what the undisturbed run made, to the last bit."""
        return sorted(name for name, files in self.files_now().items() if files != self.files.get(name))

    def broken(self) -> list[str]:
        """The models that are not served as they were published."""
        found = []
        for name, (part, kind) in kinds_of(find_recipe(APP)).items():
            current = self.artifacts.current(APP, name)
            loaded = None if current is None else self.artifacts.load(APP, name, kind, part)
            whole = loaded is not None and not loaded.refused and loaded.manifest.version == current
            found += [name] if current is not None and not whole else []
        return found

    def log_of_last(self) -> Iterator[dict[str, Any]]:
        """What Spark noted of the last training."""
        return map(orjson.loads, self._log().splitlines())

    def logs(self) -> int:
        """How many trainings Spark has noted anything of."""
        return len(self._files())

    def stages_done(self) -> int:
        """How many stages of the last training Spark has noted as completed."""
        return self._log().count(_COMPLETED)

    def _log(self) -> bytes:
        return self._files()[-1].read_bytes()

    def _files(self) -> list[Path]:
        """In the order of the trainings; what they are called has the time at which they began."""
        folder = self.folder / "log"
        return (
            sorted(file for file in folder.iterdir() if not file.name.startswith(".")) if folder.exists() else []
        )

    def _told(self) -> str:
        return (self.folder / "command.log").read_text(errors="replace")[-2_000:]

    def last_line(self) -> str:
        """What the last command said in the end."""
        return " ".join(self._told().split("\n\n")[-1].split())[-300:]


def undisturbed(trial: Trial) -> dict[str, Any]:
    """Train, and note at which of Spark's stages others are killed."""
    began, training = time.monotonic(), trial.begin_training()
    at = {}
    for model in (FIRST, BEFORE, MIDDLE):
        until(partial(trial.has, model), f"{model} has not been made", _LONGEST_SECONDS)
        at[model] = trial.stages_done()
    trial.finish(training)
    trial.files, trial.stages = trial.files_now(), {FIRST: at[FIRST], MIDDLE: at[MIDDLE] - at[BEFORE]}
    return {"seconds": round(time.monotonic() - began, 1), "stages": trial.stages}


def await_middle_of(trial: Trial, model: str, training: subprocess.Popen[bytes]) -> None:
    """Wait until half of a model's stages are done, or half of all before the first model."""
    before, logs, done = trial.versions(), trial.logs(), 0
    until(lambda: trial.logs() > logs, "Spark has not begun", _LONGEST_SECONDS)
    if model == MIDDLE:
        until(lambda: BEFORE in trial.changed(before), "it has not come so far", _LONGEST_SECONDS)
        done = trial.stages_done()
    done += max(trial.stages[model] // 2, 1)
    until(lambda: trial.stages_done() >= done, "it has not come so far", _LONGEST_SECONDS)
    assert training.poll() is None, "it was over before it was to be killed"
    assert model not in trial.changed(before), "it was made before it was to be killed"


def worker_killed(trial: Trial) -> dict[str, Any]:
    """Kill a worker and its executor in the middle of item_item."""
    began, training = time.monotonic(), trial.begin_training()
    try:
        await_middle_of(trial, MIDDLE, training)
        trial.cluster.kill_worker("worker-1")
        trial.finish(training)
    finally:
        end_group(training)
    seconds = round(time.monotonic() - began, 1)
    log = list(trial.log_of_last())
    trial.cluster.start_worker("worker-1")
    return {
        "seconds": seconds,
        "lost_executors": sum(line["Event"] == "SparkListenerExecutorRemoved" for line in log),
        "failed_tasks": sum(line.get("Task End Reason", {}).get("Reason", "Success") != "Success" for line in log),
        "differ": trial.differing(),
    }


def driver_killed(trial: Trial, kill: Kill, server: Server) -> dict[str, Any]:
    """Kill a driver, or a part of it, in the middle of a model."""
    before, training = trial.versions(), trial.begin_training(*kill.job)
    try:
        await_middle_of(trial, kill.model, training)
        kill.how(training)
        training.wait(_LONGEST_SECONDS)
        left = until(lambda: not _runs(training.pid), "some of the driver goes on")
        freed = until(trial.cluster.is_idle, "the cluster waits for a driver that is gone")
    finally:
        end_group(training)
    return {
        "exit": training.returncode,
        "changed": trial.changed(before),
        "broken": trial.broken(),
        "differ": trial.differing(),
        "page": _page(server),
        "cores_free_seconds": round(left + freed, 1),
        **({"said": trial.last_line()} if training.returncode > 0 else {}),
    }


def kill_python(training: subprocess.Popen[bytes]) -> None:
    """End the Python of a driver; its Java sees that by itself."""
    training.kill()


def kill_java(training: subprocess.Popen[bytes]) -> None:
    """End the Java of a driver."""
    for file in Path(f"/proc/{training.pid}/task").glob("*/children"):
        for child in file.read_text().split():
            if Path(f"/proc/{child}/comm").read_text().strip() == "java":
                os.kill(int(child), signal.SIGKILL)


class Kill(NamedTuple):
    """In the middle of what, by what, and of which job if it is not by hand."""

    model: str
    how: Callable[[subprocess.Popen[bytes]], None]
    job: tuple[str, ...] = ()


KILLS: Final = (Kill(FIRST, end_group), Kill(MIDDLE, kill_python), Kill(MIDDLE, kill_java, (JOB,)))


def gone_on(trial: Trial, server: Server) -> dict[str, Any]:
    """Train again after the last kill: what that run made is there."""
    before, began, training = trial.versions(), time.monotonic(), trial.begin_training(JOB)
    trial.finish(training)
    return {
        "seconds": round(time.monotonic() - began, 1),
        "made": trial.changed(before),
        "broken": trial.broken(),
        "differ": trial.differing(),
        "page": _page(server),
    }


def trial(folder: Path, users: int, items: int, events: int) -> dict[str, Any]:
    """All of it on one cluster."""
    with running_cluster(folder, 2) as cluster:
        shop = Trial(folder, cluster)
        sizes = f"--users={users}", f"--items={items}", f"--events={events}"
        shop.do("generate", APP, "--out", "sample", *sizes)
        shop.do("import", APP, "sample")
        shop.do("export", APP, "days", "--by-day", "--only", "events")
        found: dict[str, Any] = {"undisturbed": undisturbed(shop), "models": sorted(shop.files)}
        with serving(folder, shop.settings["database_url"], apps=APP) as server:
            found["worker"] = worker_killed(shop)
            found["driver"] = [driver_killed(shop, kill, server) for kill in KILLS]
            found["after"] = gone_on(shop, server)
        return found


def _page(server: Server) -> tuple[int, int]:
    """The status of a page of a server, and how many items are on it."""
    status, body = fetch(server.port, f"/v1/apps/{APP}/feeds/home?user_id=u1")
    return status, len(orjson.loads(body)["items"]) if status == 200 else 0


def _runs(group: int) -> bool:
    """Whether any process of a group does."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def main(arguments: Sequence[str] | None = None) -> None:
    """One line."""
    parser = ArgumentParser()
    parser.add_argument("--users", type=int, default=600)
    parser.add_argument("--items", type=int, default=1_000)
    parser.add_argument("--events", type=int, default=20_000)
    options = parser.parse_args(arguments)
    with trial_folder() as folder:
        write_line("spark", **trial(folder, **vars(options)))


if __name__ == "__main__":
    main()
