"""The same event, sent five times at once: it counts once; another event of the same id is refused.

    python -m torture.retries --keys 10000

Each key is sent by five connections at the same moment. Then its user sends it with another body, which must be
answered by 409 and change nothing.
"""

from __future__ import annotations

import asyncio
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from benchmarks.serving.http_load import Response
from torture.counted import logged_events
from torture.kill import put_some_items
from torture.sample import print_for_each_store
from torture.servers import serving
from torture.traffic import Client, event_request

RETRIES: Final = 5
_GROUPS: Final = 6


async def send_all(port: int, keys: int) -> Counter[str]:
    """Every key, a group of connections at a time for each of some keys."""
    found: Counter[str] = Counter()
    numbers = iter(range(keys))

    async def work() -> None:
        clients = [Client(port) for _ in range(RETRIES)]
        for number in numbers:
            user, key = f"u{number % 97}", f"key-{number}"
            request = event_request(user, "i1", key)
            _count(found, await asyncio.gather(*(client.send(request) for client in clients)))
            other = await clients[0].send(event_request(user, "i2", key))
            found[f"another body: {other.status}"] += 1
        for client in clients:
            await client.close()

    await asyncio.gather(*(work() for _ in range(_GROUPS)))
    return found


def _count(found: Counter[str], answers: Sequence[Response]) -> None:
    accepted = 0
    for answer in answers:
        found[f"sent: {answer.status}"] += 1
        accepted += orjson.loads(answer.body).get("accepted", 0)
    found["accepted once"] += accepted == 1


def trial(store_url: str, home: Path, keys: int) -> dict[str, Any]:
    """All keys, to a server of an empty store."""
    asyncio.run(put_some_items(store_url))
    with serving(home, store_url) as server:
        found = asyncio.run(send_all(server.port, keys))
        stats = server.json("/v1/apps/streaming/stats")
    logged = logged_events(store_url, "key-")
    return {
        "keys": keys,
        "retries": RETRIES,
        **found,
        "logged": len(logged),
        "doubled": sum(times > 1 for times in logged.values()),
        "miscounted": stats["events"] - keys,
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """A line for each store."""
    parser = ArgumentParser()
    parser.add_argument("--keys", type=int, default=10_000)
    print_for_each_store("retries", parser, arguments, trial)


if __name__ == "__main__":
    main()
