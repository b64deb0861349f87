"""How fitting grows with the data: prints one JSON line a model and size, then one with the laws of growth.

    python -m benchmarks.cf.scale --interactions 1_000_000 5_000_000 20_000_000

The data are made up, see `cf.synthetic`: of n interactions n / 25 users and 4 n^0.65 items. Each fit has a
process of its own and the library's own form of the data before it begins; `fit_mb` is by how much its peak rises
above that. A law is time or memory = a n^b, by least squares on logarithms over the sizes of this run. The
baseline beside ours is implicit's item-item with the cosine, 200 neighbours.
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

from benchmarks.cf.processes import WorkerError, ask, interpreters, save
from benchmarks.cf.registry import MODELS
from benchmarks.cf.synthetic import LEAST, generate

_BASELINE = "implicit_item_item"
_CONFIGS = {_BASELINE: {"kind": "cosine", "K": 200}}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every size, smallest first, and fit the laws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interactions", type=_size, nargs="+", default=[250_000, 500_000, 1_000_000])
    parser.add_argument("--model", choices=list(MODELS), action="append", help="may repeat")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args(arguments)
    if options.seed < 0:
        parser.error(f"expected a seed of 0 or more, got {options.seed}")
    models = list(dict.fromkeys([*(options.model or ["item_item"]), _BASELINE]))
    with tempfile.TemporaryDirectory(prefix="homefeed-cf-") as name:
        try:
            lacking = interpreters([sys.executable], models, Path(name))[1]
            if lacking:
                sys.exit("; ".join(f"{model} cannot run: {why}" for model, why in lacking.items()))
            points = measure(sorted(set(options.interactions)), models, options.seed, Path(name))
        except WorkerError as error:
            sys.exit(str(error))
    laws = {model: laws_of([point for point in points if point["model"] == model]) for model in models}
    print(json.dumps({"benchmark": "cf_scale", "seed": options.seed, "laws": laws}))


def measure(sizes: Sequence[int], models: Sequence[str], seed: int, folder: Path) -> list[dict[str, Any]]:
    """One point, printed, a size and model."""
    points = []
    for size in sizes:
        pairs = generate(size, seed)
        shape = {"interactions": pairs.nnz, "users": pairs.shape[0], "items": pairs.shape[1]}
        train = save(folder, "train", pairs)
        del pairs
        for model in models:
            config = _CONFIGS.get(model, dict(MODELS[model].defaults))
            cost = ask(sys.executable, folder, "fit", model=model, train=train, config=config, seed=seed)
            own = {"fit_mb": round(cost["fit_peak_mb"] - cost["before_fit_mb"], 1)}
            points.append({"benchmark": "cf_scale", "model": model, **shape, "config": config, **cost, **own})
            print(json.dumps(points[-1]), flush=True)
    return points


def laws_of(points: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How seconds and megabytes grow with the interactions, with the points; no law of fewer than two sizes."""
    sizes = [point["interactions"] for point in points]
    found: dict[str, Any] = {"interactions": sizes}
    for name in ("fit_seconds", "fit_mb"):
        values = [point[name] for point in points]
        found[name] = {"points": values, "law": growth(sizes, values)}
    return found


def growth(sizes: Sequence[int], values: Sequence[float]) -> dict[str, float] | None:
    """The a and b of value = a n^b; None where there are fewer than two sizes, or a value is not above 0."""
    if len(set(sizes)) < 2 or min(values) <= 0:
        return None
    exponent, intercept = np.polyfit(np.log(sizes), np.log(values), 1)
    return {"a": float(f"{np.exp(intercept):.3g}"), "b": round(float(exponent), 3)}


def _size(text: str) -> int:
    if not text.replace("_", "").isdecimal() or int(text) < LEAST:
        raise argparse.ArgumentTypeError(f"expected a whole number of {LEAST} or more, got {text}")
    return int(text)


if __name__ == "__main__":
    main()
