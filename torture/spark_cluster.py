"""A standalone cluster of Spark on this machine, to hurt: a master, and workers of one core that can be killed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import orjson

from torture.servers import HOST, answered, fetch, free_ports

MEMORY: Final = "1g"
"""Of a worker, all of which its executor takes."""
_DEPLOY: Final = "org.apache.spark.deploy"
_PATIENCE_SECONDS: Final = 60.0


@dataclass(frozen=True)
class Cluster:
    """A master that answers, and how its workers are started."""

    folder: Path
    port: int
    page: int
    workers: dict[str, subprocess.Popen[bytes]]

    @property
    def master(self) -> str:
        """Its URL."""
        return f"spark://{HOST}:{self.port}"

    def state(self) -> dict[str, Any]:
        """What the master says of its workers and applications."""
        status, body = fetch(self.page, "/json/")
        assert status == 200, body[:500]
        told: dict[str, Any] = orjson.loads(body)
        return told

    def start_worker(self, name: str) -> None:
        """Start one that is gone, and wait until the master has it."""
        alive = len(self._alive())
        options = ["--host", HOST, "--cores", "1", "--memory", MEMORY, "--work-dir", str(self.folder / name)]
        self.workers[name] = _start("worker.Worker", name, self.folder, "--webui-port", "0", *options, self.master)
        until(lambda: len(self._alive()) == alive + 1, f"{name} has not come to the master")

    def kill_worker(self, name: str) -> None:
        """End it and its executors as a power cut would."""
        end_group(self.workers.pop(name))

    def end(self) -> None:
        """Kill all workers."""
        for name in list(self.workers):
            self.kill_worker(name)

    def is_idle(self) -> bool:
        """Whether no driver holds any core."""
        return not self.state()["coresused"]

    def _alive(self) -> list[Any]:
        return [worker for worker in self.state()["workers"] if worker["state"] == "ALIVE"]


@contextmanager
def running_cluster(folder: Path, workers: int) -> Iterator[Cluster]:
    """A master and so many workers, called worker-1, worker-2, ...; all end with the context."""
    port, page = free_ports(2)
    cluster = Cluster(folder, port, page, {})
    with ExitStack() as stack:
        where = "--host", HOST, "--port", str(port), "--webui-port", str(page)
        stack.callback(end_group, _start("master.Master", "master", folder, *where))
        stack.callback(cluster.end)
        until(lambda: answered(page, "/json/") == 200, "the master does not answer")
        for number in range(workers):
            cluster.start_worker(f"worker-{number + 1}")
        yield cluster


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and those it started, where they run."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def until(holds: Callable[[], bool], otherwise: str, seconds: float = _PATIENCE_SECONDS) -> float:
    """Wait until something holds; the seconds that it took."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() < began + seconds, otherwise
        time.sleep(0.05)
    return time.monotonic() - began


def spark_is_installed() -> bool:
    """Whether PySpark and a Java are here."""
    return find_spec("pyspark") is not None and shutil.which("java") is not None


def _start(kind: str, name: str, folder: Path, *options: str) -> subprocess.Popen[bytes]:
    spec = find_spec("pyspark")
    assert spec is not None, "pip install 'homefeed[spark]'"
    assert spec.origin is not None
    home = str(Path(spec.origin).parent)
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [f"{home}/bin/spark-class", f"{_DEPLOY}.{kind}", *options],
            env={**os.environ, **_variables(home, folder)},
            start_new_session=True,
            stdout=log,
            stderr=log,
        )


def _variables(home: str, folder: Path) -> Mapping[str, str]:
    """Executors import what this process does: their worker hands its variables on."""
    return {
        "SPARK_HOME": home,
        "SPARK_LOCAL_IP": HOST,
        "SPARK_LOCAL_DIRS": str(folder),
        "SPARK_DAEMON_MEMORY": "256m",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "OPENBLAS_NUM_THREADS": "1",
    }
