"""A shop under load: its three pages at a constant rate on one server process. Prints one JSON line.

    python -m benchmarks.serving.shop_load --products 10000 --per-minute 10000 --seconds 60

A generated shop is imported and trained, in a folder that is thrown away, and served by one process with one
worker. Requests arrive at a constant rate whatever the server does (an open loop): home pages, product pages
and searches in turn, of shoppers, products and queries drawn by lot from those of the shop. A request's time
runs from the moment at which it was due until its last byte, so that waiting for a busy server counts (no
coordinated omission). Beside that, one request in ten is an interaction that is written, as `--writes` says.
`floors` are those of the contract.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import polars as pl

from homefeed.apps import find_recipe
from homefeed.apps.shop.generate import generate
from homefeed.apps.shop.prepare import prepare_items
from homefeed.environment import Environment, system_clock
from homefeed.ingest import find_files, import_files
from homefeed.settings import Settings
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train import train_app

PAGES: Final = ("home", "product", "search")
FLOORS: Final = {"p95_ms": 150, "requests_per_minute": 10_000}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--shoppers", type=int, default=2_000)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--per-minute", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--search-limit", type=int, help="Instead of the contract's default of 2,000.")
    parser.add_argument("--workers", type=int, default=1, help="Server processes.")
    parser.add_argument("--writes", type=float, default=0.1, help="Interactions for every page.")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps(measured(Path(folder), options)))


def measured(folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Fill a shop, serve it, put it under load."""
    settings = Settings(home=folder, apps=("shop",))
    asyncio.run(_fill(settings, options))
    rng = np.random.default_rng(0)
    paths = _paths(folder / "sample", rng, options.search_limit)
    port = _free_port()
    command = [str(Path(sys.executable).with_name("homefeed")), "serve", "--port", str(port)]
    environment = os.environ | {"HOMEFEED_HOME": str(folder), "HOMEFEED_APPS": "shop"}
    server = subprocess.Popen(
        [*command, "--workers", str(options.workers)], env=environment, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port)
        asyncio.run(_load(port, paths, options.per_minute / 60, 5.0, options.writes))
        before = resource.getrusage(resource.RUSAGE_SELF)
        began = time.perf_counter()
        done = asyncio.run(_load(port, paths, options.per_minute / 60, options.seconds, options.writes))
        wall = time.perf_counter() - began
        after = resource.getrusage(resource.RUSAGE_SELF)
        memory = _peak_megabytes(server.pid)
    finally:
        server.terminate()
        server.wait()
    pages = [seconds for page in PAGES for seconds in done.seconds[page]]
    client = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "benchmark": "shop_load",
        "products": options.products,
        "events": options.events,
        "search_limit": options.search_limit or "default",
        "processes": options.workers,
        "requests": len(pages),
        "requests_per_minute": round(len(pages) / wall * 60),
        "failed": done.failed,
        **_quantiles(pages),
        **{page: _quantiles(done.seconds[page]) for page in (*PAGES, "write")},
        "megabytes_per_second": round(done.received / wall / 1e6, 1),
        "server_peak_mb": memory if options.workers == 1 else None,
        "client_cpu_share": round(client / wall, 2),
        "floors": FLOORS,
    }


async def _fill(settings: Settings, options: argparse.Namespace) -> None:
    recipe, folder = find_recipe("shop"), settings.home / "sample"
    end = datetime.now(UTC).replace(microsecond=0)
    generate(folder, users=options.shoppers, items=options.products, events=options.events, end=end)
    async with open_store(settings.store_url) as store:
        files = find_files(folder, recipe.sources)
        await import_files(store, recipe, files, now=system_clock(), prepare_items=prepare_items)
        await train_app(recipe, store, ArtifactStore(settings.models_folder), Environment())


def _paths(folder: Path, rng: np.random.Generator, search_limit: int | None) -> dict[str, list[str]]:
    """Requests to draw from: shoppers, products as often as they were clicked, searches as often as made."""
    events = pl.read_csv(folder / "events.csv", infer_schema=False)
    users = events["user_id"].unique(maintain_order=True).to_list()
    clicked = events["product_id"].drop_nulls()
    products = clicked.filter(clicked != "").sample(5_000, with_replacement=True, seed=int(rng.integers(2**31)))
    queries = events["query"].drop_nulls()
    asked = queries.filter(queries != "").sample(5_000, with_replacement=True, seed=int(rng.integers(2**31)))
    limit = "" if search_limit is None else f"&response_limit={search_limit}"
    return {
        "home": [f"/recommendations/home?user_id={user}" for user in users],
        "product": [f"/recommendations/product/{product}" for product in products],
        "search": [f"/recommendations/search?query={quote(text)}{limit}" for text in asked],
        "write": [
            json.dumps({"user_id": users[n % len(users)], "event_type": "product_click", "product_id": product})
            for n, product in enumerate(products)
        ],
    }


class _Done:
    """What the load made of it."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.failed = self.received = 0


class _Connections:
    """Keep-alive connections, opened as needed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, request: bytes) -> tuple[bool, int]:
        """Whether the answer is a 200, and the length of its body."""
        reader, writer = await self._connection()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        self._free.append((reader, writer))
        return head.startswith(b"http/1.1 200"), length

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._free:
            reader, writer = self._free.pop()
            # The server closes what was idle for a while.
            if not reader.at_eof() and not writer.is_closing():
                return reader, writer
        return await asyncio.open_connection("127.0.0.1", self._port, limit=2**24)

    def close(self) -> None:
        for _, writer in self._free:
            writer.close()


async def _load(port: int, paths: dict[str, list[str]], per_second: float, seconds: float, writes: float) -> _Done:
    done, connections, loop = _Done(), _Connections(port), asyncio.get_running_loop()
    rng = np.random.default_rng(1)
    start = loop.time() + 0.1

    async def one(due: float, page: str, request: bytes) -> None:
        ok, length = await connections.ask(request)
        done.seconds[page].append(loop.time() - due)
        done.received += length
        done.failed += not ok

    tasks = []
    for due, page in _timetable(per_second, seconds, writes):
        await asyncio.sleep(start + due - loop.time())
        chosen = paths[page][int(rng.integers(len(paths[page])))]
        tasks.append(asyncio.create_task(one(start + due, page, _request(page, chosen))))
    await asyncio.gather(*tasks)
    connections.close()
    return done


def _timetable(per_second: float, seconds: float, writes: float) -> Iterator[tuple[float, str]]:
    """When what is due: pages in turn, and between them a write now and then."""
    owed = 0.0
    for number in range(round(per_second * seconds)):
        yield number / per_second, PAGES[number % len(PAGES)]
        owed += writes
        if owed >= 1:
            owed -= 1
            yield (number + 0.5) / per_second, "write"


def _request(page: str, chosen: str) -> bytes:
    if page != "write":
        return f"GET {chosen} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    head = f"Host: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(chosen.encode())}"
    return f"POST /api/v1/interactions/interactions HTTP/1.1\r\n{head}\r\n\r\n{chosen}".encode()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int) -> None:
    for _ in range(1_200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("the server did not start")


def _peak_megabytes(pid: int) -> int | None:
    """The most memory a process ever had, where the system tells."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) // 1_024 for line in lines if line.startswith("VmHWM")), None)


def _quantiles(seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {}
    p50, p95, p99 = np.percentile(seconds, [50, 95, 99]) * 1e3
    return {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2), "p99_ms": round(float(p99), 2)}


if __name__ == "__main__":
    main()
