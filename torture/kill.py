"""kill -9, again and again, while events come in: what was acknowledged is in the log, once.

    python -m torture.kill --store sqlite --store postgresql --kills 200 --events 100000

Clients tell of events, single ones and lists of up to 100, until each is acknowledged; the server is killed at
moments drawn at random and started again. `lost` are acknowledged events that the log does not hold, `doubled`
those it holds more than once, `miscounted` the difference to what the last server says it holds.
"""

from __future__ import annotations

import asyncio
import random
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from benchmarks.serving.http_load import Response, post
from homefeed.store import open_store
from homefeed.store.items import ItemWrite, put_items
from torture.counted import logged_events
from torture.forks import Forks, forking
from torture.sample import APP, print_for_each_store
from torture.servers import fetch
from torture.traffic import Client

USERS, ITEMS = 50, 40
_CONNECTIONS: Final = 8
_LONGEST_LIST: Final = 100

Play = dict[str, Any]


def plan(count: int, rng: random.Random) -> list[list[Play]]:
    """Events as the requests that tell of them: of four requests one is a single event."""
    plays = [
        {
            "user_id": f"u{rng.randrange(USERS)}",
            "item_id": f"i{rng.randrange(ITEMS)}",
            "event_type": "play",
            "value": rng.randrange(1, 60),
            "timestamp": 1_700_000_000 + number // 3,
            "event_id": f"event-{number}",
        }
        for number in range(count)
    ]
    requests = []
    while plays:
        size = 1 if rng.random() < 0.25 else rng.randint(2, _LONGEST_LIST)
        requests.append(plays[:size])
        plays = plays[size:]
    rng.shuffle(requests)
    return requests


@dataclass
class Telling:
    """Clients that tell of each event until it is acknowledged, whatever happens to the server."""

    port: int
    waiting: list[list[Play]]
    acknowledged: set[str] = field(default_factory=set)
    interrupted: int = 0
    torn: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    up: asyncio.Event = field(default_factory=asyncio.Event)
    _under_way: int = 0

    @property
    def is_done(self) -> bool:
        """Whether all is acknowledged."""
        return not self.waiting and not self._under_way

    async def work(self) -> None:
        """What one connection does."""
        client = Client(self.port)
        while not self.is_done:
            await self.up.wait()
            if not self.waiting:
                await asyncio.sleep(0.005)  # another's may come back
                continue
            plays = self.waiting.pop()
            self._under_way += 1
            try:
                response = await client.send(post(f"/v1/apps/{APP}/events", orjson.dumps(plays), "events"))
                self._take(plays, response)
            except (OSError, TimeoutError):
                self.interrupted += 1
                self.waiting.append(plays)
                await asyncio.sleep(0.005)
            finally:
                self._under_way -= 1
        await client.close()

    def _take(self, plays: list[Play], response: Response) -> None:
        if response.status != 200:
            self.refused[response.status] += 1
            self.waiting.append(plays)
            return
        counted = orjson.loads(response.body)
        assert counted["rejected"] == []
        assert counted["accepted"] + counted["duplicates"] == len(plays)
        # A request is in the log whole or not at all.
        self.torn += counted["duplicates"] not in (0, len(plays))
        self.acknowledged.update(play["event_id"] for play in plays)


async def tell_and_kill(forks: Forks, telling: Telling, kills: int, count: int, rng: random.Random) -> Any:
    """All events, and a kill after each share of them; what the last server says it holds."""
    workers = [asyncio.create_task(telling.work()) for _ in range(_CONNECTIONS)]
    for number in range(kills):
        await asyncio.to_thread(forks.start)
        telling.up.set()
        wanted = int((number + rng.uniform(0.2, 0.9)) / (kills + 1) * count)
        while len(telling.acknowledged) < wanted and not telling.is_done:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        await asyncio.sleep(rng.uniform(0, 0.01))
        forks.kill()
        telling.up.clear()
    await asyncio.to_thread(forks.start)
    telling.up.set()
    await asyncio.gather(*workers)
    status, body = await asyncio.to_thread(fetch, forks.port, f"/v1/apps/{APP}/stats")
    assert status == 200, body
    return orjson.loads(body)


async def put_some_items(store_url: str) -> None:
    """Items i0, i1, ... to tell events of."""
    async with open_store(store_url) as store:
        await put_items(store, APP, [ItemWrite(f"i{n}", {"title": f"Title {n}"}) for n in range(ITEMS)])


def trial(store_url: str, home: Path, kills: int, events: int) -> dict[str, Any]:
    """Kill a server of an empty store so often while it is told of so many events."""
    rng, began = random.Random(7), time.monotonic()
    asyncio.run(put_some_items(store_url))

    async def run(forks: Forks) -> tuple[Telling, Any]:
        telling = Telling(forks.port, plan(events, rng))
        return telling, await tell_and_kill(forks, telling, kills, events, rng)

    with forking(home, store_url) as forks:
        telling, stats = asyncio.run(run(forks))
    logged = logged_events(store_url)
    return {
        "kills": kills,
        "events": events,
        "acknowledged": len(telling.acknowledged),
        "requests_interrupted": telling.interrupted,
        "refused": dict(telling.refused),
        "lost": len(telling.acknowledged - logged.keys()),
        "doubled": sum(times > 1 for times in logged.values()),
        "never_told": len(logged.keys() - telling.acknowledged),
        "torn": telling.torn,
        "miscounted": stats["events"] - events,
        "seconds": round(time.monotonic() - began),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """A line for each store."""
    parser = ArgumentParser()
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--events", type=int, default=100_000)
    print_for_each_store("kill", parser, arguments, trial)


if __name__ == "__main__":
    main()
