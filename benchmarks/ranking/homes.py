"""Home with its learned ranker beside home without, by `homefeed evaluate`. Prints one JSON line.

    python -m benchmarks.ranking.homes streaming sqlite:///homefeed-data/homefeed.db

The clock runs as in `homefeed evaluate`: the ranker is made and judged on the events before the cutoff, and ranks
where it would have been published. Both homes are asked the same requests; the difference has a 95 % interval
(paired bootstrap over users). `--without "FEATURE ..."` leaves parts under the feed's features out, to find what
each of them brings.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from homefeed.apps import find_recipe
from homefeed.dataset.log import LogData, read_log
from homefeed.evaluate.bootstrap import paired_differences
from homefeed.evaluate.evaluation import Evaluation
from homefeed.evaluate.offline import evaluate_app
from homefeed.evaluate.protocol import Protocol
from homefeed.recipe import Recipe
from homefeed.store import open_store
from homefeed.types import SECOND, Codes

MEASURES: Final = ("ndcg@10", "recall@20")
_FEED: Final = "home"
_RESAMPLES: Final = 2_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate both homes of an app."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("app")
    parser.add_argument("store", help="the URL of the database that holds its events")
    parser.add_argument("--overlay", type=Path, help="a recipe's tables that count before the app's")
    parser.add_argument("--without", default="", help="parts of home's features to leave out of the learned one")
    parser.add_argument("--requests", type=int, default=2_000)
    options = parser.parse_args(arguments)
    recipe = find_recipe(options.app, options.overlay)
    log = asyncio.run(_read(recipe, options.store))
    protocol = Protocol(max_requests=options.requests, replay=False)
    own = evaluate_app(_unlearned(recipe), log.catalog, log.data, protocol=protocol)
    learned = evaluate_app(_less(recipe, options.without.split()), log.catalog, log.data, protocol=protocol)
    print(json.dumps({"app": options.app, "without": options.without, **compared(own, learned)}))


def compared(own: Evaluation, learned: Evaluation) -> dict[str, object]:
    """The figures of both, by how much the learned one is ahead, and how each stands beside its parts."""
    by_user = [each.found.by_user for each in (own, learned)]
    requests = np.array(by_user[0].requests)
    users: Codes = np.repeat(np.arange(len(requests), dtype=np.int32), requests)
    figures: dict[str, object] = {"requests": len(users), "users": len(requests)}
    for measure in MEASURES:
        one, other = (np.repeat(np.array(each.systems[_FEED][measure]), requests) for each in by_user)
        rng = np.random.default_rng(0)
        lead = paired_differences({measure: other}, {measure: one}, rng, _RESAMPLES, users=users)[measure]
        figures[measure] = {
            "own": round(float(one.mean()), 4),
            "learned": round(float(other.mean()), 4),
            "lead": [round(bound, 4) for bound in lead],
        }
    found = (own.found, learned.found)
    figures["verdicts"] = [
        verdict.to_json() for each in found for verdict in each.verdicts if verdict.feed == _FEED
    ]
    coverage = [each.found.comparison.overall[_FEED]["coverage@20"] for each in (own, learned)]
    return figures | {"coverage@20": [round(each, 4) for each in coverage], "ranker": learned.rankers.get(_FEED)}


def _unlearned(recipe: Recipe) -> Recipe:
    return replace(recipe, feeds={**recipe.feeds, _FEED: replace(recipe.feeds[_FEED], learned=None)})


def _less(recipe: Recipe, parts: Sequence[str]) -> Recipe:
    home = recipe.feeds[_FEED]
    kept = tuple(spec for spec in home.features if spec.name not in parts)
    return replace(recipe, feeds={**recipe.feeds, _FEED: replace(home, features=kept)})


async def _read(recipe: Recipe, url: str) -> LogData:
    async with open_store(url) as store:
        return await read_log(store, recipe, now=int(time.time()) * SECOND, seed=0)


if __name__ == "__main__":
    main()
