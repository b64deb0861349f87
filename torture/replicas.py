"""Three replicas behind nginx, on PostgreSQL and Redis: freshness, pages, models, a kill, rolling restarts.

    python -m torture.replicas --seconds 60 --rounds 100

`fresh` says of events, hides and new items that one replica acknowledged how many were in the very next answer of
another, and after how many seconds, p50 and max. `pages`: scrolls whose every page came from another replica, and
the items that were there twice. `models`: replicas that serve what was just published, while they are restarted in
any order. `kill` and `rolling`: what became of requests through the proxy.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from tests.embedded_postgresql import running_postgresql
from tests.redis_server import running_redis

from torture.counted import logged_events
from torture.lines import trial_folder, write_line
from torture.sample import APP, fill, train
from torture.servers import HOST, Server, answered, proxy, replicas
from torture.traffic import Traffic

_API: Final = f"/v1/apps/{APP}"
_PATIENCE_SECONDS: Final = 60.0


def freshness(servers: Sequence[Server], rounds: int, polls: float = 10.0) -> dict[str, Any]:
    """How soon what one replica took is in the answers of another."""
    clients = [httpx.Client(base_url=f"http://{HOST}:{server.port}", timeout=20) for server in servers]
    found: dict[str, list[tuple[int, float]]] = {"event": [], "hide": [], "item": []}
    pairs = itertools.cycle(itertools.permutations(clients, 2))
    for number, (one, other) in zip(range(rounds), pairs, strict=False):
        user, item = f"fresh{number}", f"new{number}"
        attributes = {"title": f"Quite another {item}", "content_type": "movie", "genre": "Drama"}
        _checked(one.put(f"{_API}/items/{item}", json={"attributes": attributes}))
        found["item"].append(_until(lambda: _shown(other, item), polls))  # noqa: B023
        event = {"user_id": user, "item_id": "i1", "event_type": "play", "value": 900}
        _checked(one.post(f"{_API}/events", json=event))
        found["event"].append(_until(lambda: not _home(other, user)["cold_start"], polls))  # noqa: B023
        _checked(one.patch(f"{_API}/items/{item}", json={"hidden": True}))
        found["hide"].append(_until(lambda: not _shown(other, item), polls))  # noqa: B023
    for client in clients:
        client.close()
    return {name: _soon(times) for name, times in found.items()}


def pages(servers: Sequence[Server], scrolls: int, length: int = 6) -> dict[str, int]:
    """Scroll with each page at another replica, and an event or two in between."""
    clients = [httpx.Client(base_url=f"http://{HOST}:{server.port}", timeout=20) for server in servers]
    repeated = shown = 0
    for number in range(scrolls):
        seen: list[str] = []
        cursor = None
        for page in range(length):
            client = clients[(number + page) % len(clients)]
            more: dict[str, str] = {} if cursor is None else {"cursor": cursor}
            answer = _home(client, f"u{number % 50 + 1}", n=20, **more)
            seen += [item["item_id"] for item in answer["items"]]
            cursor = answer["next_cursor"]
            if cursor is None:
                break
            event = {"user_id": f"u{number % 50 + 1}", "item_id": seen[-1], "event_type": "play", "value": 5}
            _checked(client.post(f"{_API}/events", json=event))
        shown += len(seen)
        repeated += len(seen) - len(set(seen))
    for client in clients:
        client.close()
    return {"scrolls": scrolls, "items": shown, "repeated": repeated}


def models(servers: Sequence[Server], store_url: str, home: Path, orders: int) -> dict[str, Any]:
    """Publish, and restart the replicas before, while and after that, in orders drawn at random."""
    rng, reached, seconds = random.Random(3), 0, []
    for _ in range(orders):
        order = rng.sample(list(servers), len(servers))
        order[0].end()
        made = train(store_url, home)
        began = time.monotonic()
        order[1].end()
        for server in order[:2]:
            server.start()
        for server in order[:2]:
            server.await_ready()
        _until(lambda: all(_serves(server, made) for server in servers), _PATIENCE_SECONDS)  # noqa: B023
        seconds.append(time.monotonic() - began)
        reached += sum(_serves(server, made) for server in servers)
    return {"orders": orders, "replicas_reached": reached, "of": orders * len(servers)}


async def kill_one(port: int, servers: Sequence[Server], seconds: float, kills: int) -> Traffic:
    """Kill replicas under load, each started again."""
    async with Traffic(port, prefix="k", pause=0.01) as traffic:
        for number in range(kills):
            await asyncio.sleep(seconds / kills / 2)
            server = servers[number % len(servers)]
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(seconds / kills / 2)
            server.start()
            await asyncio.to_thread(server.await_ready)
        await asyncio.sleep(1)
    return traffic


async def roll(port: int, servers: Sequence[Server], restarts: int) -> Traffic:
    """Restart one replica after the other under load, each when the one before is ready."""
    async with Traffic(port, prefix="r", pause=0.01) as traffic:
        for server in itertools.islice(itertools.cycle(servers), restarts):
            await asyncio.sleep(0.5)
            await asyncio.to_thread(server.end)
            server.start()
            await asyncio.to_thread(server.await_ready)
        await asyncio.sleep(1)
    return traffic


def account(traffic: Traffic, store_url: str) -> dict[str, Any]:
    """What became of the requests, and whether what was acknowledged is there once."""
    logged = logged_events(store_url, traffic.prefix)
    return {
        "answered": traffic.answered,
        "failed": dict(traffic.failed),
        "slowest_seconds": round(traffic.slowest, 2),
        "lost": len(set(traffic.acknowledged) - logged.keys()),
        "doubled": sum(times > 1 for times in logged.values()),
    }


def disturbed(
    servers: Sequence[Server], folder: Path, store_url: str, seconds: float, kills: int, restarts: int
) -> dict[str, Any]:
    """What becomes of requests through nginx while replicas are killed, and while they are restarted."""
    with proxy(folder, servers) as port:
        killed = asyncio.run(kill_one(port, servers, seconds, kills))
        rolled = asyncio.run(roll(port, servers, restarts))
        assert answered(port, "/readyz") == 200
    return {"kill": account(killed, store_url), "rolling": account(rolled, store_url)}


def trial(folder: Path, rounds: int, seconds: float, kills: int, restarts: int, orders: int) -> dict[str, Any]:
    """All of it, on one PostgreSQL and one Redis."""
    with running_postgresql() as store_url, running_redis() as redis:
        fill(store_url, folder)
        with replicas(folder, store_url, redis.url) as servers:
            return {
                "fresh": freshness(servers, rounds),
                "pages": pages(servers, max(rounds // 5, 3)),
                **disturbed(servers, folder, store_url, seconds, kills, restarts),
                "models": models(servers, store_url, folder, orders),
            }


def _checked(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()


def _home(client: httpx.Client, user: str, n: int = 3, **more: str) -> Any:
    return _checked(client.get(f"{_API}/feeds/home", params={"user_id": user, "n": str(n)} | more))


def _shown(client: httpx.Client, item: str) -> bool:
    answer = _checked(client.get(f"{_API}/feeds/fresh", params={"n": 1_000}))
    return any(shown["item_id"] == item for shown in answer["items"])


def _serves(server: Server, made: dict[str, str]) -> bool:
    found: dict[str, str] = server.json("/readyz")["apps"][APP]["models"]
    return made.items() <= found.items()


def _until(holds: Callable[[], bool], seconds: float) -> tuple[int, float]:
    """In which answer it holds, and after how many seconds."""
    began = time.monotonic()
    for count in itertools.count(1):
        if holds():
            return count, time.monotonic() - began
        assert time.monotonic() - began < seconds, "it does not come to hold"
        time.sleep(0.01)
    raise AssertionError


def _soon(times: Sequence[tuple[int, float]]) -> dict[str, Any]:
    seconds = [each for _, each in times]
    return {
        "count": len(times),
        "in_the_next_answer": sum(answers == 1 for answers, _ in times),
        "p50_seconds": round(float(np.median(seconds)), 4),
        "max_seconds": round(max(seconds), 4),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """One line."""
    parser = ArgumentParser()
    parser.add_argument("--rounds", type=int, default=100, help="Of events, hides and items.")
    parser.add_argument("--seconds", type=float, default=60, help="Of load while replicas are killed.")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--restarts", type=int, default=9)
    parser.add_argument("--orders", type=int, default=5, help="How often models are published.")
    options = parser.parse_args(arguments)
    with trial_folder() as folder:
        asked = (options.rounds, options.seconds, options.kills, options.restarts, options.orders)
        write_line("replicas", **trial(folder, *asked))


if __name__ == "__main__":
    main()
