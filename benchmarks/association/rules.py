"""Rules by FP-Growth against rules by counting all pairs: what they cost, and what they are worth.

    python -m benchmarks.association.rules --invoices online_retail.csv.gz --min-support 0.001

Prints one JSON line. An invoice is a basket, a stock code an item; without a file, baskets are made up. Both
methods find rules in the first four fifths of the baskets by time, each in a process of its own, with Homefeed's
defaults but that all rules of an item are kept; FP-Growth has a `--min-support` of all baskets besides, for it
takes memory with every pair above. `fit_peak_mb` is the most that the process held, `before_fit_mb` what it held,
with libraries and data, when the fit began.

Judged by the last fifth, leaving one out as Deshpande & Karypis do ("Item-based top-N recommendation algorithms",
TOIS 2004): an item is taken out of every basket of two or more, at random, and is to be among the first 20 of all
that are not asked with. `rest` asks with the whole rest of the basket, `one` with a single other item, as an
item's page does. With one item to find the hit rate is recall; `mrr` is their ARHR. Intervals are 95 % bootstraps
over baskets; `popular` lists what most baskets have. `--validation` is for choosing: one fifth earlier.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.association.baskets import (
    Cases,
    cases_of,
    judged,
    made_up,
    read_invoices,
    split,
    top_by_popularity,
    top_by_rules,
)
from benchmarks.cf.lightgcn import Matrix
from benchmarks.cf.processes import WorkerError, ask_worker, save
from homefeed.evaluate.bootstrap import Interval, mean_intervals, paired_differences
from homefeed.evaluate.metrics import PerUser
from homefeed.retrieve.association.model import AssociationModel

_WORKER: Final = "benchmarks.association.worker"
_ALL: Final = 10_000
_VERSIONS: Final = ("numpy", "scipy", "mlxtend", "pandas")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print the line."""
    options = _options(arguments)
    try:
        baskets = made_up(options.seed) if options.invoices is None else read_invoices(options.invoices)
        with tempfile.TemporaryDirectory(prefix="homefeed-rules-") as folder:
            found = measure(baskets, Path(folder), options.min_support, options.validation, options.seed)
    except (ValueError, WorkerError) as error:
        sys.exit(str(error))
    named = "made up" if options.invoices is None else options.invoices.name
    print(json.dumps({"benchmark": "association_rules", "invoices": named, **found}), flush=True)
    return 0


def measure(baskets: Matrix, folder: Path, min_support: float, validation: bool, seed: int) -> dict[str, Any]:
    """All figures.

    Raises:
        ValueError: there are no baskets to judge by.
        WorkerError: a method failed.
    """
    train, test = split(baskets, validation)
    cases = cases_of(test, seed)
    path = save(folder, "baskets", train)
    costs, models = {}, {}
    for method in ("pairs", "fp_growth"):
        print(f"{method} ...", file=sys.stderr, flush=True)
        request = {"baskets": path, "model": str(folder / method)}
        config = {"method": method, "neighbours": _ALL} | (
            {"min_support": min_support} if method != "pairs" else {}
        )
        costs[method] = ask_worker(_WORKER, sys.executable, folder, "fit", config=config, **request)
        models[method] = AssociationModel.load(folder / method)
    values = {method: _values(model, cases) for method, model in models.items()} | {
        "popular": _popular(train, cases)
    }
    figures = {
        system: {**costs.get(system, {}), **_told(mean_intervals(of_cases, np.random.default_rng(seed)))}
        for system, of_cases in values.items()
    }
    for method, model in models.items():
        figures[method]["coverage"] = round(_coverage(model, train), 4)
    return {
        "part": "validation" if validation else "test",
        "items": baskets.shape[1],
        "train_baskets": train.shape[0],
        "test_baskets": test.shape[0],
        "cases": len(cases.targets),
        "min_support": min_support,
        "seed": seed,
        "versions": {library: metadata.version(library) for library in _VERSIONS},
        **figures,
        "rules_in": _shared(models["pairs"], models["fp_growth"]),
        "pairs_minus": {
            other: _told(paired_differences(values["pairs"], values[other], np.random.default_rng(seed)))
            for other in ("fp_growth", "popular")
        },
    }


def _values(model: AssociationModel, cases: Cases) -> dict[str, PerUser]:
    return judged(top_by_rules(model, cases.rest), cases.targets, "rest") | judged(
        top_by_rules(model, cases.one), cases.targets, "one"
    )


def _popular(train: Matrix, cases: Cases) -> dict[str, PerUser]:
    return judged(top_by_popularity(train, cases.rest), cases.targets, "rest") | judged(
        top_by_popularity(train, cases.one), cases.targets, "one"
    )


def _coverage(model: AssociationModel, train: Matrix) -> float:
    """The share of the items sold that have a rule."""
    sold = np.bincount(train.indices, minlength=train.shape[1]) > 0
    return float((np.diff(model.indptr)[sold] > 0).mean())


def _shared(pairs: AssociationModel, mined: AssociationModel) -> dict[str, int]:
    """How many rules are in both models, and in one only."""
    first, second = (
        np.repeat(np.arange(len(model.numbers)), np.diff(model.indptr)) * len(model.numbers) + model.indices
        for model in (pairs, mined)
    )
    both = len(np.intersect1d(first, second, assume_unique=True))
    return {"both": both, "only_pairs": len(first) - both, "only_fp_growth": len(second) - both}


def _told(intervals: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    return {
        name: {bound: round(value, 5) for bound, value in interval._asdict().items()}
        for name, interval in intervals.items()
    }


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--invoices", type=Path, help="CSV with InvoiceNo, StockCode, Quantity and InvoiceDate")
    parser.add_argument("--min-support", type=_share, default=0.001, metavar="SHARE", help="of FP-Growth")
    parser.add_argument("--validation", action="store_true", help="judge by the fifth before the last")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args(arguments)
    if options.seed < 0:
        parser.error(f"expected a seed of 0 or more, got {options.seed}")
    return options


def _share(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"expected a share of 0 to 1, got {text}")
    return number


if __name__ == "__main__":
    sys.exit(main())
