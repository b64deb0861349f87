"""One piece of work on one model, in a process of its own, by any interpreter that has numpy and scipy.

    python -m benchmarks.cf.worker REQUEST.json

The request names an action, files of matrices, and where the answer is to be written: see `cf.processes`.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from benchmarks.cf.lightgcn import CUT, Matrix, Split, as_matrix, ones_of, users_to_judge
from benchmarks.cf.model import Config, Model
from benchmarks.cf.registry import CHOOSERS, MODELS
from benchmarks.cf.resident import forget_peak, resident


def main() -> None:
    """Do what is asked."""
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    actions: dict[str, Callable[..., dict[str, Any]]] = {"probe": probe, "tune": tune, "fit": fit}
    action = actions[request.pop("action")]
    answer = Path(request.pop("answer"))
    answer.write_text(json.dumps(action(**request)), encoding="utf-8")


def probe(models: list[str]) -> dict[str, str]:
    """Of each model nothing if it can run here, else why not."""
    return {name: _lacks(MODELS[name]) for name in models}


def tune(model: str, train: str, test: str, seconds: float, seed: int) -> dict[str, Any]:
    """The configuration to fit with; importing and compiling take nothing of the seconds."""
    _warm_up(MODELS[model], MODELS[model].defaults, seed)
    start = time.perf_counter()
    choice = CHOOSERS[model](MODELS[model], _split(train, test), seconds, seed)
    return {
        "config": dict(choice.config),
        "tune_seconds": round(time.perf_counter() - start, 2),
        "tune_trials": choice.trials,
        "validation_ndcg": choice.ndcg,
    }


def fit(
    model: str, train: str, config: dict[str, Any], seed: int, test: str | None = None, top: str | None = None
) -> dict[str, Any]:
    """What the fit and, where there is a `test`, everyone's top lists cost; the lists go to the file `top`.

    A fit on next to nothing comes first, so that importing and compiling are told apart.
    """
    under_test = MODELS[model]
    start = time.perf_counter()
    _warm_up(under_test, config, seed)
    warm_up = time.perf_counter() - start
    pairs = _load(train)
    data = under_test.prepare(pairs)
    gc.collect()
    forget_peak()
    before = resident("VmRSS")
    start = time.perf_counter()
    fitted = under_test.fit(data, config, seed)
    seconds = time.perf_counter() - start
    answer = {
        "warm_up_seconds": round(warm_up, 2),
        "fit_seconds": round(seconds, 3),
        "fit_peak_mb": round(resident("VmHWM"), 1),
        "before_fit_mb": round(before, 1),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "versions": _versions(under_test),
    }
    if test is not None and top is not None:
        users = users_to_judge(Split(pairs, _load(test)))
        start = time.perf_counter()
        lists = under_test.top(fitted, pairs, users, CUT)
        answer["predict_seconds"] = round(time.perf_counter() - start, 3)
        np.save(top, lists)
    return answer


def _warm_up(model: Model, config: Config, seed: int) -> None:
    cells = np.flatnonzero(np.random.default_rng(0).random(300 * 300) < 0.05)
    few = as_matrix(*np.divmod(cells, 300), (300, 300))
    model.top(model.fit(model.prepare(few), config, seed), few, np.arange(300), CUT)


def _lacks(model: Model) -> str:
    for module in model.modules:
        try:
            importlib.import_module(module)
        except ImportError as error:
            return f"{module}: {error}"
    return ""


def _split(train: str, test: str) -> Split:
    """Ones, and, where the training part was saved with places, those."""
    places = _load(train)
    return Split(ones_of(places), _load(test), places)


def _load(path: str) -> Matrix:
    return sp.csr_array(sp.load_npz(path))


def _versions(model: Model) -> dict[str, str]:
    found = {"python": platform.python_version()}
    for library in sorted({"numpy", "scipy", "numba", *(module.split(".")[0] for module in model.modules)}):
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    main()
