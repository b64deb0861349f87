"""What a recommendation costs, in process and over HTTP, as the catalogue grows. Prints one JSON line a size.

    python -m benchmarks.serving.recommend --app community --items 10000 --items 100000

In process: `LiveApp.recommend` of ten items of the home feed, user state cached, one thread. The baseline beside
it answers from the same models the plain way: item-item as a sparse vector-matrix product, content as a dense
one, all items scored, sorted and cut. HTTP: the app's own route on a server process with one worker, over
`--connections` keep-alive connections from this process. A community has 500 items, whatever their number.
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
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from homefeed.apps import find_recipe
from homefeed.apps.community import generate as community
from homefeed.apps.streaming import generate as streaming
from homefeed.environment import Environment, system_clock
from homefeed.ingest import find_files, import_files
from homefeed.retrieve.content.model import ContentModel
from homefeed.retrieve.item_item.model import ItemItemModel
from homefeed.serving import FeedRequest, LiveApp, open_app
from homefeed.settings import Settings
from homefeed.store import open_store
from homefeed.store.artifacts import ArtifactStore
from homefeed.train import train_app

USERS, EVENTS_PER_ITEM = 20_000, 20
PATHS = {
    "streaming": "/recommendations?user_id={}&k=10",
    "community": "/v1/reco/homefeed?user_id={}&limit=10",
}


def main() -> None:
    """Measure every size asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--app", choices=sorted(PATHS), default="streaming")
    parser.add_argument("--items", type=int, action="append")
    parser.add_argument("--requests", type=int, default=5_000)
    parser.add_argument("--connections", type=int, default=8)
    arguments = parser.parse_args()
    for items in arguments.items or [10_000, 100_000]:
        with tempfile.TemporaryDirectory() as folder:
            settings = Settings(home=Path(folder), apps=(arguments.app,))
            print(json.dumps(measure(settings, items, arguments.requests, arguments.connections)), flush=True)


def measure(settings: Settings, items: int, requests: int, connections: int) -> dict[str, object]:
    """One catalogue size."""
    prepared = asyncio.run(prepare(settings, items))
    in_process = asyncio.run(ask_in_process(settings, requests))
    return {
        "benchmark": "recommend",
        "app": settings.apps[0],
        "items": items,
        **prepared,
        **in_process,
        "http": over_http(settings, requests, connections),
    }


async def prepare(settings: Settings, items: int) -> dict[str, object]:
    """Generate, import and train."""
    sample = settings.home / "sample"
    events = items * EVENTS_PER_ITEM
    if settings.apps == ("community",):
        communities = max(items // 500, 1)
        community.generate(
            sample,
            users=USERS,
            items=items,
            events=events,
            format="parquet",
            end=datetime.now(UTC).replace(microsecond=0),
            communities=communities,
            blocks=4 * communities,
        )
    else:
        streaming.generate(sample, users=USERS, items=items, events=events, format="parquet")
    recipe = find_recipe(settings.apps[0])
    async with open_store(settings.store_url) as store:
        await import_files(store, recipe, find_files(sample, recipe.sources), now=system_clock())
        trained = await train_app(recipe, store, ArtifactStore(settings.models_folder), Environment())
    return {"users": USERS, "events": events, "train_seconds": round(trained.seconds, 1)}


async def ask_in_process(settings: Settings, requests: int) -> dict[str, object]:
    """Ask for as many users' feeds, one after the other."""
    users = _users(requests)
    threadpool_limits(1, user_api="blas")  # as the server does
    async with open_app(find_recipe(settings.apps[0]), settings) as app:
        for user in users:
            await app.user_state(user)
        seconds = []
        for user in users:
            start = time.perf_counter()
            await app.recommend(FeedRequest("home", user, n=10))
            seconds.append(time.perf_counter() - start)
        plain = _plain(app)
        baseline = []
        for user in users[: min(len(users), 300)]:
            state = await app.user_state(user)
            start = time.perf_counter()
            plain(state.history.items, state.history.strengths)
            baseline.append(time.perf_counter() - start)
    return {"in_process_ms": _quantiles(seconds), "baseline_ms": _quantiles(baseline)}


def _plain(app: LiveApp) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    models = {name: app.artifacts.load(app.recipe.app, name, kind) for name, kind in _KINDS.items()}
    similar, content = models["item_item"], models["content"]
    assert similar is not None
    assert content is not None
    assert isinstance(similar.model, ItemItemModel)
    assert isinstance(content.model, ContentModel)
    size = len(similar.model.numbers)
    matrix = sp.csr_array((similar.model.weights, similar.model.indices, similar.model.indptr), shape=(size, size))
    vectors = np.array(content.model.vectors)

    def answer(items: np.ndarray, strengths: np.ndarray) -> np.ndarray:
        history = sp.csr_array((strengths, items, [0, len(items)]), shape=(1, size))
        scores = (history @ matrix).toarray()[0] + 0.2 * (vectors @ (strengths @ vectors[items]))
        scores[items] = 0
        return np.argsort(-scores)[:10]

    return answer


_KINDS: dict[str, type[ItemItemModel] | type[ContentModel]] = {"item_item": ItemItemModel, "content": ContentModel}


def over_http(settings: Settings, requests: int, connections: int) -> dict[str, object]:
    """Ask a server process with one worker."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--factory", "homefeed.server:create_app", "--port", str(port)]
    environment = os.environ | {"HOMEFEED_HOME": str(settings.home), "HOMEFEED_APPS": settings.apps[0]}
    server = subprocess.Popen([*command, "--no-access-log", "--log-level", "error"], env=environment)
    try:
        _wait(port)
        asyncio.run(_load(port, settings.apps[0], _users(USERS), connections))
        before = resource.getrusage(resource.RUSAGE_SELF)
        start = time.perf_counter()
        seconds = asyncio.run(_load(port, settings.apps[0], _users(requests), connections))
        wall = time.perf_counter() - start
        after = resource.getrusage(resource.RUSAGE_SELF)
    finally:
        server.terminate()
        server.wait()
    client = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "requests_per_second": round(requests / wall),
        "connections": connections,
        "client_cpu_share": round(client / wall, 2),
        **_quantiles(seconds),
    }


async def _load(port: int, app: str, users: list[str], connections: int) -> list[float]:
    queue = list(users)
    seconds: list[float] = []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while queue:
            path = PATHS[app].format(queue.pop())
            start = time.perf_counter()
            writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            seconds.append(time.perf_counter() - start)
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return seconds


def _wait(port: int) -> None:
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError("the server did not start")


def _users(count: int) -> list[str]:
    rng = np.random.default_rng(1)
    return [f"u{number}" for number in rng.integers(1, USERS + 1, count)]


def _quantiles(seconds: list[float]) -> dict[str, float]:
    p50, p95, p99 = np.percentile(seconds, [50, 95, 99]) * 1e3
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2), "p99": round(float(p99), 2)}


if __name__ == "__main__":
    main()
