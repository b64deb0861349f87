"""kill -9, again and again, while events come in: what was acknowledged is in the log, once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx
import pytest
import sqlalchemy as sa

from homefeed.store import open_store
from homefeed.store.items import ItemWrite, put_items
from homefeed.store.tables import events

if TYPE_CHECKING:
    from tests.conftest import Server, StartServer

Play: TypeAlias = dict[str, Any]

EVENTS, KILLS, CONNECTIONS, USERS, ITEMS = 10_000, 4, 8, 50, 40
SINGLES, LONGEST_LIST = 1_500, 100


def plan(rng: random.Random) -> list[list[Play]]:
    """All events, as the requests that tell of them: single ones and lists, in any order."""
    plays = [
        {
            "user_id": f"u{rng.randrange(USERS)}",
            "item_id": f"i{rng.randrange(ITEMS)}",
            "watch_seconds": rng.randrange(1, 60),
            "timestamp": 1_700_000_000 + number // 3,
            "event_id": f"event-{number}",
        }
        for number in range(EVENTS)
    ]
    requests, rest = [[play] for play in plays[:SINGLES]], plays[SINGLES:]
    while rest:
        size = rng.randint(2, LONGEST_LIST)
        requests.append(rest[:size])
        rest = rest[size:]
    rng.shuffle(requests)
    return requests


@dataclass
class Telling:
    """Clients that tell a server of events until each is acknowledged, whatever happens to the server."""

    waiting: list[list[Play]]
    acknowledged: set[str] = field(default_factory=set)
    interrupted: int = 0
    url: str = ""
    up: asyncio.Event = field(default_factory=asyncio.Event)
    tried: set[str] = field(default_factory=set)
    wanted: int = EVENTS
    reached: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """One connection's work."""
        async with httpx.AsyncClient(timeout=30) as client:
            while self.waiting:
                plays = self.waiting.pop()
                await self.up.wait()
                try:
                    body: Any = plays[0] if len(plays) == 1 else plays
                    answer = await client.post(f"{self.url}/events", json=body)
                except httpx.TransportError:
                    self.interrupted += 1
                    self.tried.add(plays[0]["event_id"])
                    self.waiting.append(plays)
                    await asyncio.sleep(0.01)
                else:
                    self.take(plays, answer)

    def take(self, plays: list[Play], answer: httpx.Response) -> None:
        """Check and note an acknowledgement."""
        assert answer.status_code == 200, answer.text
        counted = answer.json()
        assert counted["rejected"] == []
        assert counted["accepted"] + counted["duplicates"] == len(plays)
        if plays[0]["event_id"] not in self.tried:
            assert counted["duplicates"] == 0
        # What was written before the power went is all of a request or nothing.
        assert counted["duplicates"] in (0, len(plays))
        self.acknowledged.update(play["event_id"] for play in plays)
        if len(self.acknowledged) >= self.wanted:
            self.reached.set()


@asynccontextmanager
async def started(
    start_server: StartServer, store_url: str, home: Path, telling: Telling
) -> AsyncIterator[Server]:
    async with AsyncExitStack() as stack:
        starting = start_server(store_url, home)
        server = await asyncio.to_thread(starting.__enter__)
        stack.callback(starting.__exit__, None, None, None)
        telling.url = server.url
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            assert (await client.get("/readyz")).status_code == 200
        telling.up.set()
        yield server


async def reach(telling: Telling, count: int, workers: list[asyncio.Task[None]]) -> None:
    telling.wanted = count
    telling.reached.clear()
    reached = asyncio.create_task(telling.reached.wait())
    await asyncio.wait([reached, *workers], return_when=asyncio.FIRST_COMPLETED)
    assert telling.reached.is_set(), [worker.exception() for worker in workers if worker.done()]


async def tell_and_kill(start_server: StartServer, store_url: str, home: Path, telling: Telling) -> dict[str, Any]:
    """Tell of everything while the server is killed now and then; answers what the last server says."""
    rng = random.Random(7)
    workers = [asyncio.create_task(telling.run()) for _ in range(CONNECTIONS)]
    for number in range(KILLS):
        async with started(start_server, store_url, home, telling) as server:
            share = (number + rng.uniform(0.3, 0.9)) / (KILLS + 0.5)
            await reach(telling, int(share * EVENTS), workers)
            await asyncio.sleep(rng.uniform(0, 0.01))
            telling.up.clear()
            server.kill()
    async with started(start_server, store_url, home, telling) as server:
        await asyncio.gather(*workers)
        async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
            paths = {
                "stats": "/v1/apps/streaming/stats",
                "popular": "/popular?k=1000",
                "history": "/history?user_id=u7&limit=1000",
                "recommendations": "/recommendations?user_id=u7",
            }
            return {name: (await client.get(path)).json() for name, path in paths.items()}


async def logged(store_url: str) -> list[str]:
    async with open_store(store_url) as store, store.read() as connection:
        return [str(event_id) for event_id in await connection.scalars(sa.select(events.c.event_id))]


@pytest.mark.slow
def test_no_acknowledged_event_is_lost_and_none_is_doubled(
    store_url: str, start_server: StartServer, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with open_store(store_url) as store:
            await put_items(
                store, "streaming", [ItemWrite(f"i{n}", {"title": f"Title {n}"}) for n in range(ITEMS)]
            )
        requests = plan(random.Random(1))
        told = [play for plays in requests for play in plays]
        telling = Telling(requests)
        said = await tell_and_kill(start_server, store_url, tmp_path, telling)
        in_log = Counter(await logged(store_url))
        assert telling.interrupted >= KILLS, "no request was under way when the server was killed"
        assert telling.acknowledged == {play["event_id"] for play in told}
        assert {event_id: count for event_id, count in in_log.items() if count > 1} == {}
        assert in_log.keys() == telling.acknowledged
        assert len(in_log) == EVENTS
        assert said["stats"]["events"] == EVENTS
        assert said["stats"]["users"] == USERS
        counts = Counter(item_id for _, item_id in {(play["user_id"], play["item_id"]) for play in told})
        for title in said["popular"]["items"]:
            assert title["reason"] == f"Popular: {counts[title['item_id']]:,} viewers"
        assert len(said["popular"]["items"]) == ITEMS
        assert len(said["history"]["items"]) == sum(play["user_id"] == "u7" for play in told)
        assert said["recommendations"]["fallback_used"] is False

    asyncio.run(scenario())
