"""What learned rankers cost in process: to score a request and to explain a page. Prints one JSON line each.

    python -m benchmarks.ranking.learned

Requests are drawn: of the features two decide together and one alone, all others say nothing. The baseline is the
weighted sum of the same features.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from threadpoolctl import threadpool_limits

from homefeed.engine import fit_ranking_model
from homefeed.protocols import RankingModel
from homefeed.ranking import RankingData
from homefeed.recipe import PartSpec, find_part
from homefeed.types import Floats

_CONFIGS: Final[dict[str, dict[str, Any]]] = {
    "lambdamart": {},
    "value": {"values": {"click": 1.0}},
    "click_model": {},
}
_ROUNDS: Final = 300
_PAGE: Final = 20


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure each of the rankers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--features", type=int, default=30)
    options = parser.parse_args(arguments)
    data = drawn(options.requests, options.candidates, options.features)
    features = data.features[: options.candidates]
    weights = np.random.default_rng(0).random(options.features, np.float32)
    with threadpool_limits(1, user_api="blas"):  # as the server does
        baseline = median_ms(lambda: features @ weights)
        for part, settings in _CONFIGS.items():
            config = find_part("model", part).Config.model_validate(settings)
            start = time.perf_counter()
            model = fit_ranking_model(PartSpec(part, part, config), data)
            fitted = time.perf_counter() - start
            print(json.dumps(_measured(part, model, features, fitted, baseline, options)), flush=True)


def drawn(requests: int, candidates: int, width: int, seed: int = 0) -> RankingData:
    """Requests with choices that follow from three of the features."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(requests * candidates, width)).astype(np.float32)
    features[:, -1] = 1
    log_odds = features[:, 0] + features[:, 1] * features[:, 2] - 4
    chosen = rng.random(len(features)) < 1 / (1 + np.exp(-log_odds))
    return RankingData(
        feature_names=(*(f"feature_{n}" for n in range(width - 1)), "bias"),
        features=features,
        starts=np.arange(0, len(features) + 1, candidates),
        event_types=("click",),
        outcomes=chosen[:, None],
        chosen=chosen,
        weights=np.ones(len(features), np.float32),
        items=np.tile(np.arange(candidates, dtype=np.int32), requests),
    )


def median_ms(call: Callable[[], object]) -> float:
    """How long a call takes, in milliseconds of the processor."""
    seconds = []
    for _ in range(_ROUNDS):
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return round(float(np.median(seconds)) * 1_000, 4)


def _measured(
    part: str, model: RankingModel, features: Floats, fitted: float, baseline: float, options: argparse.Namespace
) -> dict[str, Any]:
    page = features[:_PAGE]
    return {
        "benchmark": "ranking",
        "part": part,
        "candidates": options.candidates,
        "features": options.features,
        "score_ms": median_ms(lambda: model.scores(features)),
        "explain_page_ms": median_ms(lambda: model.contributions(page)),
        "weighted_ms": baseline,
        "fit_seconds": round(fitted, 1),
        "fitted_rows": options.requests * options.candidates,
    }


if __name__ == "__main__":
    main()
