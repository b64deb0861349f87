"""Starts the workers: each piece of work in a fresh process, so that its memory is its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import scipy.sparse as sp

from benchmarks.cf.lightgcn import Matrix

_WORKER = "benchmarks.cf.worker"
_ROOT = Path(__file__).parents[2]
_SHOWN = 3  # lines of what a failed worker said last


class WorkerError(RuntimeError):
    """A worker ended without an answer; says what it said last."""


def ask(python: str, folder: Path, action: str, **request: Any) -> dict[str, Any]:
    """The answer of the worker of collaborative models; see `ask_worker`."""
    return ask_worker(_WORKER, python, folder, action, **request)


def ask_worker(worker: str, python: str, folder: Path, action: str, **request: Any) -> dict[str, Any]:
    """The answer of the module `worker`, which `python` runs.

    Raises:
        WorkerError: it failed, or there is no such interpreter.
    """
    request_file, answer = folder / "request.json", folder / "answer.json"
    answer.unlink(missing_ok=True)
    request_file.write_text(json.dumps({"action": action, "answer": str(answer), **request}), encoding="utf-8")
    path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
    environment = os.environ | {"PYTHONPATH": path}
    command = [python, "-m", worker, str(request_file)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    except OSError as error:
        raise WorkerError(f"{python}: expected a Python interpreter, got: {error}") from error
    if done.returncode or not answer.exists():
        stderr = " | ".join(done.stderr.strip().splitlines()[-_SHOWN:])
        raise WorkerError(f"{action} ended with status {done.returncode}: {stderr}")
    found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return found


def save(folder: Path, name: str, matrix: Matrix) -> str:
    """A matrix where workers find it, and its path."""
    path = folder / f"{name}.npz"
    sp.save_npz(path, matrix, compressed=False)
    return str(path)


def interpreters(
    pythons: Sequence[str], models: Sequence[str], folder: Path
) -> tuple[dict[str, str], Mapping[str, str]]:
    """The first interpreter that can run each model; and of those that none can, why not."""
    runs: dict[str, str] = {}
    lacking: dict[str, str] = {}
    for python in pythons:
        left = [model for model in models if model not in runs]
        lacks = ask(python, folder, "probe", models=left)
        runs |= {model: python for model, why in lacks.items() if not why}
        lacking |= lacks
    return runs, {model: why for model, why in lacking.items() if model not in runs}


def available_gigabytes() -> float:
    """Memory that a process could take now; infinite where the system does not say."""
    path = Path("/proc/meminfo")
    if not path.exists():
        return float("inf")
    return int(path.read_text(encoding="ascii").split("MemAvailable:")[1].split()[0]) / 1e6
