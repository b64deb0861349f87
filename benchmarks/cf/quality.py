"""How good collaborative models are, side by side on one split: prints one JSON line a model.

    python -m benchmarks.cf.quality --train train.txt.gz --test test.txt.gz --tune 3
    python -m benchmarks.cf.quality ... --model item_item --model lenskit_ease --rivals-python PATH

The files are in LightGCN's format, `user item item ...` a line; without any, a made-up sample is judged. All
items are ranked, training items left out; recall@20 and NDCG@20 as LightGCN's evaluation has them, averaged over
the users with test items, with 95 % bootstrap intervals over users. `--tune` gives every model the same minutes to
choose its configuration on the same held-out items of the training file: the last fifth of lines where these seem
to be in the order of time, any fifth elsewhere. `item_item_in_order` is told that order, the others are not.
`--users` takes that share of the users, drawn by the seed, and what they had in training.
Models of other libraries run where they can be imported: here, or by one of the `--rivals-python` interpreters.
Each fit has a process of its own: `fit_peak_mb` is the most it held, `before_fit_mb` what it held, with libraries
and data, when the fit began.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cf.lightgcn import Split, hold_out, judged, read_split, some_users, users_to_judge
from benchmarks.cf.processes import WorkerError, ask, available_gigabytes, interpreters, save
from benchmarks.cf.registry import MODELS
from benchmarks.cf.synthetic import generate
from homefeed.evaluate.bootstrap import mean_intervals

_HELD_OUT, _VALIDATION_USERS, _SAMPLE = 0.2, 5_000, 50_000


@dataclass(frozen=True)
class Benchmark:
    """One split, as the workers find it, and what holds for every model."""

    split: Split
    folder: Path
    train: Mapping[bool, str]
    test: str
    fitting: Mapping[bool, str]
    validation: str
    tune_seconds: float
    seed: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the models asked for, or all there are; 1 if one of them failed."""
    options = _options(arguments)
    failed = False
    with tempfile.TemporaryDirectory(prefix="homefeed-cf-") as name:
        try:
            split, files = _split(options.train, options.test, options.seed)
            if options.users < 1:
                split = some_users(split, options.users, options.seed)
            asked = options.model or list(MODELS)
            pythons, lacking = interpreters([sys.executable, *options.rivals_python], asked, Path(name))
        except (ValueError, WorkerError) as error:
            sys.exit(str(error))
        if options.model and lacking:
            why = "; ".join(f"{model} cannot run: {reason}" for model, reason in lacking.items())
            sys.exit(f"{why}. Name an interpreter that has it with --rivals-python")
        benchmark = _prepare(split, Path(name), options.tune * 60, options.seed)
        free = min(options.memory_gb, available_gigabytes())
        for model in (model for model in asked if model in pythons):
            print(f"{model} ...", file=sys.stderr, flush=True)
            found = _within(benchmark, model, pythons[model], free)
            failed |= "failed" in found
            print(json.dumps({"benchmark": "cf_quality", "model": model, **files, **found}), flush=True)
    return int(failed)


def measure(benchmark: Benchmark, model: str, python: str) -> dict[str, Any]:
    """All figures of one model.

    Raises:
        WorkerError: it could not be tuned, fitted or asked.
    """
    tuned: dict[str, Any] = {"config": dict(MODELS[model].defaults), "tune_seconds": 0.0, "tune_trials": 0}
    split, folder, in_order = benchmark.split, benchmark.folder, MODELS[model].in_order
    subject = {"model": model, "seed": benchmark.seed}
    if benchmark.tune_seconds > 0:
        data = {
            "train": benchmark.fitting[in_order],
            "test": benchmark.validation,
            "seconds": benchmark.tune_seconds,
        }
        tuned = ask(python, folder, "tune", **subject, **data)
    data = {"train": benchmark.train[in_order], "test": benchmark.test, "top": str(folder / "top.npy")}
    cost = ask(python, folder, "fit", config=tuned["config"], **subject, **data)
    users = users_to_judge(split)
    values = judged(np.load(folder / "top.npy"), split, users)
    intervals = mean_intervals(values, np.random.default_rng(benchmark.seed))
    return {
        "users": split.train.shape[0],
        "items": split.train.shape[1],
        "train_interactions": split.train.nnz,
        "test_interactions": split.test.nnz,
        "test_users": len(users),
        "lines": "sets" if split.places is None else "in the order of time",
        "seed": benchmark.seed,
        **{
            name: {bound: round(value, 5) for bound, value in interval._asdict().items()}
            for name, interval in intervals.items()
        },
        **tuned,
        **cost,
    }


def _within(benchmark: Benchmark, model: str, python: str, free: float) -> dict[str, Any]:
    """The model's figures, or why there are none."""
    if MODELS[model].in_order and benchmark.split.places is None:
        return {"skipped": "lines are not in the order of time"}
    needed = MODELS[model].gigabytes(benchmark.split.train.shape[1])
    if needed > free:
        return {"skipped": f"would need {needed:.1f} GB, of which {free:.1f} GB can be had"}
    try:
        return measure(benchmark, model, python)
    except (WorkerError, ValueError) as error:
        return {"failed": str(error)}


def _prepare(split: Split, folder: Path, tune_seconds: float, seed: int) -> Benchmark:
    validation = hold_out(split.train, _HELD_OUT, _VALIDATION_USERS, seed, split.places)
    return Benchmark(
        split,
        folder,
        train=_both(folder, "train", split),
        test=save(folder, "test", split.test),
        fitting=_both(folder, "fitting", validation),
        validation=save(folder, "validation", validation.test),
        tune_seconds=tune_seconds,
        seed=seed,
    )


def _both(folder: Path, name: str, split: Split) -> dict[bool, str]:
    """The training part as models find it that are not told the places, and as those that are."""
    plain = save(folder, name, split.train)
    return {False: plain, True: plain if split.places is None else save(folder, f"{name}_places", split.places)}


def _split(train: Path | None, test: Path | None, seed: int) -> tuple[Split, dict[str, str]]:
    if train is None or test is None:
        pairs = generate(_SAMPLE, seed)
        return hold_out(pairs, _HELD_OUT, pairs.shape[0], seed), {"train": "made up", "test": "made up"}
    return read_split(train, test), {"train": train.name, "test": test.name}


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, help="what the models are fitted on")
    parser.add_argument("--test", type=Path, help="what they are judged by")
    parser.add_argument(
        "--model", choices=list(MODELS), action="append", help="may repeat; without it, all there are"
    )
    parser.add_argument("--tune", type=_positive, default=0.0, metavar="MINUTES", help="0: the defaults")
    parser.add_argument("--users", type=_share, default=1.0, metavar="SHARE", help="of the users, above 0 up to 1")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument(
        "--rivals-python", action="append", default=[], metavar="PATH", help="another interpreter; may repeat"
    )
    parser.add_argument("--memory-gb", type=_positive, default=16.0, help="skip models that need more")
    options = parser.parse_args(arguments)
    if (options.train is None) != (options.test is None):
        parser.error("expected both --train and --test, or neither")
    if options.seed < 0:
        parser.error(f"expected a seed of 0 or more, got {options.seed}")
    return options


def _share(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(f"expected a share above 0 up to 1, got {text}")
    return number


def _positive(text: str) -> float:
    number = float(text)
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number of 0 or more, got {text}")
    return number


if __name__ == "__main__":
    sys.exit(main())
