"""How fast events are imported, and in how much memory: prints one line of JSON.

    python -m benchmarks.serving.import_rate                  # 5 million events into SQLite
    python -m benchmarks.serving.import_rate --events 500000 --shuffled

With HOMEFEED_TEST_POSTGRES_URL set, a new database on that server is measured too, under "postgresql".
The events come in the order of time, as logs do; `--shuffled` makes them come in any order.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy.engine import URL, make_url

import homefeed.apps.streaming

RECIPE = Path(homefeed.apps.streaming.__file__).parent / "recipe.toml"
PART = 500_000
START = 1_700_000_000
NOW = 1_900_000_000_000_000


def write_files(folder: Path, events: int, users: int, items: int, shuffled: bool) -> None:
    rng = np.random.default_rng(7)
    pl.DataFrame(
        {"user_id": [f"user_{n}" for n in range(users)], "age": "30", "gender": "F", "region": "X"}
    ).write_csv(folder / "users.csv")
    titles = {"item_id": [f"item_{n}" for n in range(items)], "title": [f"Title {n}" for n in range(items)]}
    pl.DataFrame({**titles, "content_type": "tv", "genre": "Drama|Comedy"}).write_csv(folder / "items.csv")
    with (folder / "events.csv").open("wb") as target:
        for first in range(0, events, PART):
            count = min(PART, events - first)
            seconds = START + 10 * (
                rng.integers(0, events, count) if shuffled else np.arange(first, first + count)
            )
            part = pl.DataFrame(
                {
                    "user": rng.integers(0, users, count),
                    "item": np.minimum(rng.pareto(0.8, count) * 50, 1e9).astype(np.int64) % items,
                    "watch_seconds": rng.integers(0, 7200, count),
                    "time": seconds,
                }
            )
            rows = part.select(
                pl.format("user_{}", "user").alias("user_id"),
                pl.format("item_{}", "item").alias("item_id"),
                pl.lit("play").alias("event_type"),
                "watch_seconds",
                pl.from_epoch("time", time_unit="s").dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("timestamp"),
            )
            rows.write_csv(target, include_header=first == 0)


async def import_once(folder: Path, url: str) -> dict[str, Any]:
    from homefeed.ingest import find_files, import_files
    from homefeed.recipe import load_recipe
    from homefeed.store import open_store

    async with open_store(url) as store:
        report = await import_files(store, load_recipe(RECIPE), find_files(folder), now=NOW)
    events = report.file("events")
    assert events is not None
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "rows": events.rows,
        "seconds": round(events.seconds, 2),
        "rows_per_second": round(events.rows / events.seconds),
        "peak_rss_mb": usage.ru_maxrss // 1024,
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "users_and_items_seconds": round(report.seconds - events.seconds, 2),
    }


def measured(folder: Path, url: str) -> dict[str, Any]:
    """The import in a process of its own, so that its memory is that of the import alone."""
    command = [sys.executable, __file__, "--import-from", str(folder), "--database", url]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return answer


async def on_server(server: URL, statement: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(server.set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def on_postgresql(folder: Path, server: URL) -> dict[str, Any]:
    name = f"homefeed_bench_{uuid.uuid4().hex}"
    asyncio.run(on_server(server, f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
    try:
        return measured(folder, server.set(database=name).render_as_string(hide_password=False))
    finally:
        asyncio.run(on_server(server, f"DROP DATABASE {name} WITH (FORCE)"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--shuffled", action="store_true")
    parser.add_argument("--import-from", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--database", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.import_from:
        print(json.dumps(asyncio.run(import_once(options.import_from, options.database))))
        return
    with tempfile.TemporaryDirectory(prefix="homefeed-import-") as name:
        folder = Path(name)
        write_files(folder, options.events, options.users, options.items, options.shuffled)
        result = measured(folder, f"sqlite:///{folder / 'homefeed.db'}")
        server = os.environ.get("HOMEFEED_TEST_POSTGRES_URL")
        if server:
            result["postgresql"] = on_postgresql(folder, make_url(server))
    print(json.dumps(result))


if __name__ == "__main__":
    main()
