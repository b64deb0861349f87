"""How long a learned ranker takes to train from impressions, and in how much memory. Prints one JSON line.

    python -m benchmarks.ranking.trained                                    # 50,000 pages of 20, 30 features
    python -m benchmarks.ranking.trained --pages 1000000 --read 20000000    # a million of them, all read

Every tenth page is chosen from, by chance: what is measured is reading, joining, growing trees and judging, not
what they come to. The training is measured in a process of its own; the baseline is the reading alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.serving.impressions import ON_PAGE, write_log
from homefeed.dataset.log import read_log
from homefeed.dataset.ranking_rows import FeedColumns, read_ranking_rows
from homefeed.engine import build_feeds, counters_of, empty_catalog, resources_of
from homefeed.recipe import Recipe, parse_recipe
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train.ranking import judged_ranker
from homefeed.types import SECOND

_RETRIEVERS: Final[dict[str, dict[str, Any]]] = {name: {} for name in ("popular", "trending", "fresh", "explore")}
_DATABASE: Final = "homefeed.db"


def recipe(most_items: int) -> Recipe:
    """A feed of thirty features and a learned ranker, which reads so many items shown."""
    features = {
        "proposals": {"of": list(_RETRIEVERS)},
        "popularity": {},
        "popularity_windows": {},
        "activity": {},
        "age": {},
        "recency": {},
        "ranks": {"of": [*_RETRIEVERS, "popularity"]},
    }
    home = {
        "retrieve": _RETRIEVERS,
        "features": features,
        "rank": {"weighted": {"weights": {"popular": 1.0}}},
        "learned": {"lambdamart": {}},
    }
    declared = {
        "app": "measured",
        "items": {"fields": {"title": "text"}},
        "events": {"click": {}, "buy": {}},
        "impressions": {"max_learned_items": most_items},
        "feeds": {"home": home},
    }
    return parse_recipe(declared, "a benchmark")


async def train(folder: Path, most_items: int) -> dict[str, Any]:
    """Read what was shown, alone and then to train from it."""
    measured = recipe(most_items)
    async with open_store(f"sqlite:///{folder / _DATABASE}") as store:
        log = await read_log(store, measured, now=int(time.time()) * SECOND, seed=0)
        columns = FeedColumns(feature_names(measured), calibrated=False)
        begun = time.perf_counter()
        read = await read_ranking_rows(store, measured, "home", columns, seed=0, progress=lambda *_: None)
        rows, reading = len(read.items), time.perf_counter() - begun
        del read
        begun = time.perf_counter()
        artifacts = ArtifactStore(folder / "models")
        judged = await judged_ranker(measured, "home", log, store, artifacts, progress=lambda *_: None)
        training = time.perf_counter() - begun
    return {
        "features": len(columns.names),
        "rows_read": rows,
        "read_seconds": round(reading, 1),
        "train_seconds": round(training, 1),
        "rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "found": judged.why,
    }


def feature_names(measured: Recipe) -> tuple[str, ...]:
    """Those that home's pages are written down with."""
    catalog = empty_catalog(measured)
    counters = counters_of(measured, catalog)
    return build_feeds(measured, resources_of(measured, catalog, counters, {}))["home"].feature_names


def main() -> None:
    """Write pages down, and have another process train from them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=50_000)
    parser.add_argument("--read", type=int, default=2_000_000, help="the most items shown that are read")
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        print(json.dumps(asyncio.run(train(options.train, options.read))))
        return
    with tempfile.TemporaryDirectory(prefix="homefeed-trained-") as name:
        names = feature_names(recipe(options.read))
        sizes = options.pages, options.pages // 10, 10_000, 10_000
        asyncio.run(write_log(f"sqlite:///{Path(name) / _DATABASE}", *sizes, names))
        command = [
            sys.executable,
            "-m",
            "benchmarks.ranking.trained",
            "--train",
            name,
            "--read",
            str(options.read),
        ]
        told = json.loads(
            subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
        )
        print(json.dumps({"pages": options.pages, "rows_shown": options.pages * ON_PAGE, **told}))


if __name__ == "__main__":
    main()
