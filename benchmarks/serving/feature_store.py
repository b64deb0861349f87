"""What the feature store does in a second, what it costs a request, and a Redis that goes away under load.

    python -m benchmarks.serving.feature_store --seconds 30

Prints one JSON line. Needs `redis-server`, which it runs on a free port without a disk.

`reads` are features of users, a vector of 128 numbers and 50 events each, read and unpacked: so many a second, one
a call and 100 a call, by one process. `requests` are milliseconds of hometown and home_feed, one after the other,
on a server alone, on one of several replicas without Redis, and with it, the best of some rounds each. `outage`
sends `--rate` requests a second to each of two replicas, one in ten of them an event, at fixed times: a third of
the time Redis is there, a third it is away, a third it is there again. `unanswered` are those with another status
than 200; `stale` are, afterwards, answers of one replica that did not know an event that the other had taken.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from benchmarks.serving.homes import Python
from benchmarks.serving.http_load import (
    Connection,
    Outcome,
    Request,
    closed_loop,
    get,
    open_loop,
    post,
    quantiles,
    undisturbed,
)
from benchmarks.serving.servers import free_port, homefeed_server
from homefeed.serving.features.layout import Embedding, Moment, UserFeatures, pack_user, unpack_user
from homefeed.serving.features.memory import MemoryFeatures
from homefeed.serving.features.redis import RedisFeatures
from homefeed.serving.features.store import FeatureStore
from homefeed.serving.users import StoredUser

USERS, DIMENSIONS, EVENTS, BATCH = 10_000, 128, 50, 100
PROBES, USERS_OF_LOAD, ROUNDS = 100, 500, 5


class RedisProcess:
    """A Redis in memory that can be killed, and started again on its port."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", tempfile.gettempdir()]
        self._process = subprocess.Popen(
            ["redis-server", "--port", str(self.port), *options], stdout=subprocess.DEVNULL
        )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def running_redis() -> Iterator[RedisProcess]:
    """One that runs."""
    redis = RedisProcess()
    redis.start()
    time.sleep(0.5)
    try:
        yield redis
    finally:
        redis.kill()


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="of the outage")
    parser.add_argument("--rate", type=float, default=100.0, help="requests a second to each replica")
    parser.add_argument("--streams", type=int, default=5_000)
    parser.add_argument("--users", type=int, default=1_000)
    parser.add_argument("--interactions", type=int, default=50_000)
    given = parser.parse_args()
    python = Python(Path(sys.executable))
    with running_redis() as redis, tempfile.TemporaryDirectory(prefix="homefeed-features-") as name:
        found: dict[str, Any] = {"benchmark": "feature_store", "reads": asyncio.run(measure_reads(redis))}
        home = Path(name)
        prepare(python, home, given)
        found["requests"] = measure_requests(python, home, redis)
        found["outage"] = measure_outage(python, home, redis, given.rate, given.seconds)
    print(json.dumps(found), flush=True)


async def measure_reads(redis: RedisProcess) -> dict[str, Any]:
    """Reads a second of both stores."""
    over = RedisFeatures(f"redis://127.0.0.1:{redis.port}", 1.0)
    found = {store.name: await reads_of(store) for store in (MemoryFeatures(max_bytes=1e9), over)}
    await over.close()
    return found


async def reads_of(store: FeatureStore) -> dict[str, Any]:
    """Reads a second of one store."""
    rng = np.random.default_rng(1)
    keys = [f"homefeed:live:user:user_{number:06}" for number in range(USERS)]
    values = [pack_user(user(rng, number), 0) for number in range(USERS)]
    packed = {key: value for key, value in zip(keys, values, strict=True) if value is not None}
    for start in range(0, USERS, BATCH):
        await store.write({key: packed[key] for key in keys[start : start + BATCH]}, 3_600)
    wanted = rng.permutation(keys).tolist()

    async def read(size: int) -> None:
        for start in range(0, USERS, size):
            for value in await store.read(wanted[start : start + size]):
                assert value is not None
                assert unpack_user(value, 0) is not None

    return {
        "bytes": len(packed[keys[0]]),
        "one_a_call": round(await rate_of(lambda: read(1))),
        "hundred_a_call": round(await rate_of(lambda: read(BATCH))),
    }


async def rate_of(work: Callable[[], Awaitable[None]], repeats: int = 3) -> float:
    """How many of `USERS` reads a second, at best."""
    best = np.inf
    for _ in range(repeats):
        started = time.perf_counter()
        await work()
        best = min(best, time.perf_counter() - started)
    return float(USERS / best)


def user(rng: np.random.Generator, number: int) -> UserFeatures:
    """A user as the live app has them."""
    attributes = {"city": "Paris", "language": "fr", "preferred_categories": [1, 4], "total_watch_hours": 120.5}
    stored = StoredUser(
        number,
        attributes,
        rng.integers(0, 50_000, EVENTS).astype(np.int32),
        np.zeros(EVENTS, np.int32),
        rng.random(EVENTS).astype(np.float32),
        np.arange(EVENTS, dtype=np.int64),
        EVENTS,
    )
    vector = rng.standard_normal(DIMENSIONS).astype(np.float32)
    return UserFeatures(Moment(1, 1, 0), stored, Embedding("lightgcn/1", vector))


def prepare(python: Python, home: Path, given: argparse.Namespace) -> None:
    """Generate, import and train the live app."""
    sample = home / "sample"
    sizes = [
        "--users",
        str(given.users),
        "--streams",
        str(given.streams),
        "--interactions",
        str(given.interactions),
    ]
    for arguments in (
        ("generate", "live", "--out", str(sample), *sizes),
        ("import", "live", str(sample)),
        ("train", "live", "signals"),
        ("train", "live", "item_item"),
    ):
        environment = python.environment(home=str(home))
        subprocess.run(
            python.command(*arguments), env=environment, cwd=home, check=True, stdout=subprocess.DEVNULL
        )


def pages(users: int = USERS_OF_LOAD) -> list[Request]:
    """Hometown and home_feed of each user in turn."""
    bodies = [orjson.dumps({"user_id": f"user_{number:06}"}) for number in range(1, users + 1)]
    return [post(f"/v1/scenarios/{feed}", body, feed) for body in bodies for feed in ("hometown", "home_feed")]


def measure_requests(python: Python, home: Path, redis: RedisProcess) -> dict[str, Any]:
    """Milliseconds of requests one after the other, by how a server learns what others took."""
    modes = {
        "alone": {},
        "replica": {"replicas": "true"},
        "replica_with_redis": {"redis_host": "127.0.0.1", "redis_port": str(redis.port)},
    }
    with ExitStack() as stack:
        ports = {
            mode: stack.enter_context(homefeed_server(python, home, "live", **settings)).port
            for mode, settings in modes.items()
        }
        for port in ports.values():
            undisturbed(partial(closed_loop, port, pages(), 1))
        rounds: dict[str, list[Outcome]] = {mode: [] for mode in ports}
        for _ in range(ROUNDS):  # in turn, so that what else the machine does falls on all
            for mode, port in ports.items():
                rounds[mode].append(undisturbed(partial(closed_loop, port, pages(), 1)))
    return {mode: best_of(outcomes) for mode, outcomes in rounds.items()}


def best_of(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """The quantiles of each feed in the round that had the least of each."""
    assert not any(outcome.failed for outcome in outcomes)
    every = [{name: quantiles(seconds) for name, seconds in outcome.seconds.items()} for outcome in outcomes]
    return {
        name: {of: min(each[name][of] for each in every) for of in every[0][name]}
        for name in ("hometown", "home_feed")
    }


def measure_outage(python: Python, home: Path, redis: RedisProcess, rate: float, seconds: float) -> dict[str, Any]:
    """Two replicas under load whose Redis is killed and started again."""
    settings = {"redis_url": f"redis://127.0.0.1:{redis.port}"}
    with ExitStack() as stack:
        servers = [stack.enter_context(homefeed_server(python, home, "live", **settings)) for _ in range(2)]
        ports = [server.port for server in servers]
        for port in ports:
            undisturbed(partial(closed_loop, port, pages(), 1))
        outcomes: list[Outcome] = []

        async def load() -> Outcome:
            async def come_and_go() -> None:
                await asyncio.sleep(seconds / 3)
                redis.kill()
                await asyncio.sleep(seconds / 3)
                redis.start()

            redis_goes = asyncio.create_task(come_and_go())
            loops = (open_loop(port, timetable(n, rate, seconds)) for n, port in enumerate(ports))
            outcomes.extend(await asyncio.gather(*loops))
            await redis_goes
            return outcomes[0]

        undisturbed(load)
        stale = asyncio.run(count_stale(ports))
    phases: dict[str, list[float]] = {}
    for outcome in outcomes:
        for name, each in outcome.seconds.items():
            phases.setdefault(name, []).extend(each)
    return {
        "requests": sum(outcome.count for outcome in outcomes),
        "unanswered": sum(outcome.failed for outcome in outcomes),
        "stale": stale,
        **{name: quantiles(each) for name, each in phases.items()},
    }


def timetable(replica: int, rate: float, seconds: float) -> Iterator[tuple[float, Request]]:
    """What is due when at one of the replicas, named after the third of the time that it is in."""
    asked, count = pages(), round(rate * seconds)
    for number in range(count):
        due, phase = number / rate, ("there", "away", "again")[3 * number // count]
        if number % 10 == 9:
            event = {"user_id": f"user_{1 + number % 500:06}", "item_id": f"stream_{1 + number % 400:06}"}
            told = event | {"event_type": "watch", "value": 60, "event_id": f"{replica}-{number}-{time.time_ns()}"}
            yield due, post("/v1/apps/live/events", orjson.dumps(told), f"{phase}_events")
        else:
            data = asked[(7 * number + replica) % len(asked)].data
            yield due, Request(phase, data)


async def count_stale(ports: list[int]) -> int:
    """Of so many events of people nobody knew, how many the other replica does not know in its next answer."""
    stale = 0
    connections = [await Connection.open(port) for port in ports]
    for number in range(PROBES):
        taker, asked = connections[number % 2], connections[1 - number % 2]
        name = f"new_{time.time_ns()}"
        event = {"user_id": name, "item_id": "stream_000001", "event_type": "watch", "value": 900}
        assert (await taker.send(post("/v1/apps/live/events", orjson.dumps(event), "event").data)).status == 200
        page = await asked.send(get(f"/v1/apps/live/feeds/home_feed?user_id={name}&n=5").data)
        stale += orjson.loads(page.body)["cold_start"]
    for connection in connections:
        await connection.close()
    return stale


if __name__ == "__main__":
    main()
