"""How fast impressions are joined to what followed, and in how much memory: prints one line of JSON.

    python -m benchmarks.serving.impressions                # a million items shown, 100,000 events
    python -m benchmarks.serving.impressions --pages 500000 --events 1000000

Each page has 20 items with 10 features. Every other event names its request. The join, and the Parquet file made
of it, are measured in a process of their own.
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

import numpy as np

from homefeed.recipe import Recipe, parse_recipe
from homefeed.types import DAY, Event

START: Final = 20_000 * DAY
DAYS: Final = 7
ON_PAGE: Final = 20
FEATURES: Final = tuple(f"feature_{n}" for n in range(10))
GROUP: Final = 2_000


def recipe() -> Recipe:
    feed = {"retrieve": {"popular": {}}, "rank": {"weighted": {"weights": {"popular": 1.0}}}}
    items = {"fields": {"title": "text"}}
    declared = {"app": "measured", "items": items, "events": {"click": {}, "buy": {}}, "feeds": {"home": feed}}
    return parse_recipe(declared, "a benchmark")


async def write_log(
    url: str, pages: int, events: int, users: int, items: int, features: tuple[str, ...] = FEATURES
) -> None:
    """Pages at random times, of random items; and events about what was on one of them, within two days."""
    from homefeed.store import open_store
    from homefeed.store.events import append_events
    from homefeed.store.impressions import Impression, write_impressions
    from homefeed.store.items import ItemWrite, put_items
    from homefeed.store.users import put_users

    rng = np.random.default_rng(7)
    times = np.sort(rng.integers(0, DAYS * DAY, pages)) + START
    owners = rng.integers(1, users + 1, pages)
    shown = rng.integers(1, items + 1, (pages, ON_PAGE), dtype=np.int32)
    clicked, places = rng.integers(0, pages, events), rng.geometric(0.3, events).clip(max=ON_PAGE) - 1
    later = rng.exponential(DAY / 4, events).astype(np.int64)
    ones = np.ones(ON_PAGE, np.float32)
    user_ids = sorted(f"u{n}" for n in range(users))
    async with open_store(url) as store:
        await put_users(store, "measured", [(user, {}) for user in user_ids])
        await put_items(store, "measured", [ItemWrite(f"i{n}", {}) for n in range(items)])
        for first in range(0, pages, GROUP):
            group = [
                Impression(
                    request_id=f"{page:032x}",
                    feed="home",
                    user=int(owners[page]),
                    time=int(times[page]),
                    start=0,
                    items=shown[page],
                    scores=ones,
                    propensities=ones,
                    feature_names=features,
                    features=rng.random((ON_PAGE, len(features)), np.float32),
                    models={"signals": "20260101T000000-abc", "item_item": "20260101T000000-def"},
                    served_by="home/weighted",
                )
                for page in range(first, min(first + GROUP, pages))
            ]
            await write_impressions(store, "measured", group)
        for first in range(0, events, GROUP):
            told = [
                Event(
                    user_ids[owners[clicked[n]] - 1],
                    f"i{shown[clicked[n], places[n]] - 1}",
                    "click" if n % 5 else "buy",
                    int(times[clicked[n]] + later[n]),
                    event_id=str(n),
                    request_id=f"{clicked[n]:032x}" if n % 2 else None,
                )
                for n in range(first, min(first + GROUP, events))
            ]
            await append_events(store, "measured", told, 0)


async def join(url: str, file: Path) -> dict[str, Any]:
    from homefeed.dataset.followed import find_followed
    from homefeed.dataset.impressions import stream_shown_items
    from homefeed.dataset.shown_parquet import frame_of, new_parquet
    from homefeed.store import open_store

    measured = recipe()
    async with open_store(url) as store:
        begun = time.perf_counter()
        followed = await find_followed(store, measured)
        found = time.perf_counter()
        shown = events = 0
        async for part in stream_shown_items(store, measured, followed):
            shown, events = shown + len(part), events + int(part.counts.sum())
        joined = time.perf_counter()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        known: dict[int, str] = {}
        with new_parquet(file) as add:
            async for part in stream_shown_items(store, measured, followed):
                add(await frame_of(store, measured.app, part, known))
        written = time.perf_counter()
    return {
        "shown": shown,
        "events": events,
        "find_seconds": round(found - begun, 2),
        "join_seconds": round(joined - begun, 2),
        "join_rss_mb": memory // 1024,
        "parquet_seconds": round(written - joined, 2),
        "parquet_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=50_000)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--items", type=int, default=10_000)
    parser.add_argument("--join", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.join:
        file = options.join / "shown.parquet"
        result = asyncio.run(join(f"sqlite:///{options.join / 'homefeed.db'}", file))
        print(json.dumps(result | {"parquet_mb": round(file.stat().st_size / 1e6, 1)}))
        return
    with tempfile.TemporaryDirectory(prefix="homefeed-impressions-") as name:
        sizes = options.pages, options.events, options.users, options.items
        asyncio.run(write_log(f"sqlite:///{Path(name) / 'homefeed.db'}", *sizes))
        command = [sys.executable, "-m", "benchmarks.serving.impressions", "--join", name]
        print(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout, end="")


if __name__ == "__main__":
    main()
