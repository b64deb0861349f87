"""How well models foresee what users come to next, side by side: prints one JSON line a model.

    python -m benchmarks.cf.next_item --histories ratings.csv --attributes movies.csv --split last-fifth
    python -m benchmarks.cf.next_item --histories Beauty.txt.gz --attributes item2attributes.json.gz

All items are ranked but those of the history. Where a model has several configurations, the one of the highest
NDCG@10 on a validation part serves: the same protocol on what training sees. Homefeed's own models have one, their
defaults. Recall and NDCG at 10 and 20 with 95 % bootstrap intervals over users.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.cf.histories import PROTOCOLS, Histories, NextItems, Protocol, divided, read_histories
from benchmarks.cf.next_models import MODELS, Scorer
from benchmarks.cf.resident import resident
from homefeed.evaluate.bootstrap import mean_intervals
from homefeed.evaluate.metrics import PerUser, judge, ndcg, recall

_DEPTHS: Final = (10, 20)
_USERS_AT_ONCE: Final = 256


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge the models asked for, or all."""
    options = _options(arguments)
    try:
        histories = read_histories(options.histories, options.attributes)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    for name in options.model or MODELS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        found = measured(histories, name, options.split, options.seed)
        print(json.dumps({"benchmark": "cf_next_item", "histories": options.histories.name, **found}), flush=True)


def measured(histories: Histories, name: str, protocol: Protocol, seed: int) -> dict[str, Any]:
    """All figures of one model."""
    fit, configs = MODELS[name]
    config: Mapping[str, Any] = configs[0]
    if len(configs) > 1:
        validation = divided(histories, protocol, validation=True, seed=seed)
        quality = [
            float(measures_of(fit(validation.train, **each), validation)["ndcg@10"].mean()) for each in configs
        ]
        config = configs[int(np.argmax(quality))]
    test = divided(histories, protocol, validation=False, seed=seed)
    start = time.perf_counter()
    scorer = fit(test.train, **config)
    seconds = time.perf_counter() - start
    intervals = mean_intervals(measures_of(scorer, test), np.random.default_rng(seed))
    return {
        "model": name,
        "split": protocol,
        "users": len(test.histories),
        "items": histories.item_count,
        "events": len(test.train.interactions),
        **{
            measure: {bound: round(value, 5) for bound, value in interval._asdict().items()}
            for measure, interval in intervals.items()
        },
        "config": dict(config),
        "fit_seconds": round(seconds, 2),
        "peak_mb": round(resident("VmHWM"), 1),
    }


def measures_of(scorer: Scorer, asked: NextItems) -> dict[str, PerUser]:
    """Each measure for every user (users,)."""
    judged = judge(top_of(scorer, asked), asked.targets)
    return {
        f"{name}@{depth}": measure(judged, depth)
        for depth in _DEPTHS
        for name, measure in (("recall", recall), ("ndcg", ndcg))
    }


def top_of(scorer: Scorer, asked: NextItems) -> list[np.ndarray[Any, np.dtype[np.int32]]]:
    """The best items for every history, without those that it has; the first of equals first."""
    lists = []
    for start in range(0, len(asked.histories), _USERS_AT_ONCE):
        block = asked.histories[start : start + _USERS_AT_ONCE]
        scores = scorer(block)
        for row, own in enumerate(block):
            scores[row, own] = -np.inf
        depth = min(max(_DEPTHS), scores.shape[1])
        best = np.sort(np.argpartition(-scores, depth - 1)[:, :depth])
        ranked = np.take_along_axis(scores, best, axis=1)
        order = np.argsort(-ranked, axis=1, kind="stable")
        for items, values in zip(
            np.take_along_axis(best, order, axis=1), np.take_along_axis(ranked, order, axis=1), strict=True
        ):
            lists.append(items[np.isfinite(values)].astype(np.int32))
    return lists


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--histories", type=Path, required=True, help="lines or a table of what users chose")
    parser.add_argument("--attributes", type=Path, help="what items are, for models that can use it")
    parser.add_argument("--split", choices=list(PROTOCOLS), default="leave-one-out")
    parser.add_argument("--model", choices=list(MODELS), action="append", help="may repeat; without it, all")
    parser.add_argument("--seed", type=int, default=42)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
