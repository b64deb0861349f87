"""Server processes under load: started, awaited, measured from outside, ended."""

from __future__ import annotations

import http.client
import socket
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.serving.homes import CommandError, Python, last_lines

_STAGES: Final = "homefeed_stage_seconds"
_PATIENCE_SECONDS: Final = 600.0


@dataclass(frozen=True)
class Server:
    """A running server; `start_seconds` from its start until it was ready."""

    port: int
    process: psutil.Process
    start_seconds: float

    def resident_mb(self) -> float:
        """The memory that the process holds."""
        return float(self.process.memory_info().rss) / 1e6

    def cpu_seconds(self) -> float:
        """The processor time that the process has used."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def stage_seconds(self) -> Mapping[str, float]:
        """The time that each stage of requests has taken; empty where the server does not measure it."""
        status, text = _fetch(self.port, "/metrics")
        return stages_of(text) if status == 200 else {}


@contextmanager
def homefeed_server(python: Python, home: Path, app: str, **settings: str) -> Iterator[Server]:
    """One app on one process, as `homefeed serve` starts it."""
    port = free_port()
    environment = python.environment(home=str(home), apps=app, **settings)
    with _running(python.command("serve", "--port", str(port)), environment, home, port, "/readyz") as server:
        yield server


@contextmanager
def bare_server(python: Python) -> Iterator[Server]:
    """The bare route, with the options of `homefeed serve`."""
    port, folder = free_port(), Path(__file__).parent
    options = ("--app-dir", str(folder), "--no-access-log", "--log-level", "warning", "--port", str(port))
    command = [str(python.path), "-m", "uvicorn", "bare:app", *options]
    with _running(command, python.environment(), folder, port, "/page?user_id=u1") as server:
        yield server


def stages_of(text: str) -> dict[str, float]:
    """The seconds of each stage, over all feeds, in the text of /metrics."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for family in text_string_to_metric_families(text):
        for sample in family.samples if family.name == _STAGES else ():
            if sample.name == f"{_STAGES}_sum":
                seconds[sample.labels["stage"]] += sample.value
    return dict(seconds)


@contextmanager
def _running(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, port: int, ready: str
) -> Iterator[Server]:
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
        try:
            while not _is_ready(port, ready):
                if process.poll() is not None or time.perf_counter() - start > _PATIENCE_SECONDS:
                    log.seek(0)
                    raise CommandError(f"the server did not start: {last_lines(log.read())}")
                time.sleep(0.02)
            yield Server(port, psutil.Process(process.pid), time.perf_counter() - start)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _is_ready(port: int, path: str) -> bool:
    try:
        return _fetch(port, path)[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def _fetch(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def free_port() -> int:
    """A port of this machine that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
