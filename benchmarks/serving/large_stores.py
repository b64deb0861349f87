"""How long a large store takes to be written, copied and saved: prints a line of JSON for each step.

    python -m benchmarks.serving.large_stores                      # a million events on SQLite
    HOMEFEED_TEST_POSTGRES_URL=postgresql://... python -m benchmarks.serving.large_stores --events 10000000

With a server, a new database on it is filled by COPY, copied to SQLite, and that to a second one. `cpu_seconds`
are this process's; `peak_rss_mb` is the most it had resident until then.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy.engine import make_url

from homefeed.store import Store, open_store
from homefeed.store.backup import back_up
from homefeed.store.bulk import EventColumns, append_rows, settle
from homefeed.store.copying import copy_store
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.users import put_users

APP = "shop"
PART = 100_000
START = 1_700_000_000_000_000
STEP = 10_000_000
USERS, ITEMS = 50_000, 20_000


def columns(rng: np.random.Generator, first: int, count: int) -> EventColumns:
    """Events in the order of time, ten seconds apart: a month is a quarter of a million of them."""
    times = START + STEP * np.arange(first, first + count)
    keys = [
        time.to_bytes(7, "big") + noise for time, noise in zip(times.tolist(), noises(rng, count), strict=True)
    ]
    users, items = (rng.integers(1, most + 1, count).tolist() for most in (USERS, ITEMS))
    return EventColumns(keys, users, items, ["buy"] * count, [1.0] * count, times.tolist(), [None] * count)


def noises(rng: np.random.Generator, count: int) -> Iterator[bytes]:
    text = rng.bytes(9 * count)
    return (text[9 * n : 9 * n + 9] for n in range(count))


@contextmanager
def measured(step: str, events: int) -> Iterator[None]:
    """Print how long a step took."""
    started, cpu = time.perf_counter(), time.process_time()
    yield
    seconds = time.perf_counter() - started
    told = {
        "step": step,
        "events": events,
        "seconds": round(seconds, 1),
        "events_per_second": round(events / seconds),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(told), flush=True)


async def fill(store: Store, events: int) -> None:
    await put_users(store, APP, [(f"user_{n}", {}) for n in range(USERS)])
    await put_items(store, APP, [ItemWrite(f"item_{n}", {"title": f"Title {n}"}) for n in range(ITEMS)])
    rng = np.random.default_rng(7)
    for first in range(0, events, PART):
        await append_rows(store, APP, columns(rng, first, min(PART, events - first)), START)
    await settle(store)


@asynccontextmanager
async def new_database(server: str) -> AsyncIterator[str]:
    """The URL of a database on a server, which is dropped in the end."""
    import asyncpg

    name = f"homefeed_bench_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


async def on_postgresql(server: str, file: str, events: int) -> None:
    async with new_database(server) as url, open_store(url) as first:
        with measured("write to PostgreSQL by COPY", events):
            await fill(first, events)
        async with open_store(file) as second:
            with measured("copy from PostgreSQL to SQLite", events):
                await copy_store(first, second, quiet)
    async with new_database(server) as url, open_store(url) as third, open_store(file) as second:
        with measured("copy from SQLite to PostgreSQL", events):
            await copy_store(second, third, quiet)


async def run(folder: Path, events: int, server: str | None) -> None:
    file = f"sqlite:///{folder / 'homefeed.db'}"
    if server:
        await on_postgresql(server, file, events)
    else:
        async with open_store(file) as store:
            with measured("write to SQLite", events):
                await fill(store, events)
    made: dict[str, Any] = {"homefeed": "", "made_at": "", "progress": quiet}
    with measured("back up SQLite", events):
        await back_up(file, folder / "models", folder / "saved", **made)


def quiet(_stage: str, _done: int, _total: int) -> None:
    pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="homefeed-large-") as name:
        asyncio.run(run(Path(name), options.events, os.environ.get("HOMEFEED_TEST_POSTGRES_URL")))


if __name__ == "__main__":
    main()
