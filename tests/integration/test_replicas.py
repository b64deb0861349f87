"""Two servers and a Redis: what one takes is in the next answer of the other, also while Redis is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.redis_server import RedisServer, redis_is_installed, running_redis

from homefeed.store import open_store
from homefeed.store.items import ItemWrite, put_items

if TYPE_CHECKING:
    from tests.conftest import StartServer

POLL_SECONDS = 2.0
"""How often servers look for others' writes by themselves: much less often than the test asks."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not redis_is_installed(), reason="redis-server is not installed: apt-get install redis-server"
    ),
    pytest.mark.parametrize("store_url", ["postgresql"], indirect=True),
]


@contextmanager
def two_servers(
    start_server: StartServer, store_url: str, home: Path, redis: RedisServer
) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    given = {"apps": "live", "redis_url": redis.url, "poll_seconds": f"{POLL_SECONDS}"}
    asyncio.run(put_streams(store_url))
    with (
        start_server(store_url, home, **given) as first,
        start_server(store_url, home, **given) as second,
        httpx.Client(base_url=first.url, timeout=20) as one,
        httpx.Client(base_url=second.url, timeout=20) as other,
    ):
        yield one, other


async def put_streams(store_url: str) -> None:
    said = {"is_live": True, "viewer_count": 5, "category_id": 1}
    async with open_store(store_url) as store:
        await put_items(store, "live", [ItemWrite(stream, {"title": stream} | said) for stream in "abc"])


def live(client: httpx.Client) -> set[str]:
    answer = client.post("/v1/scenarios/hometown", json={"user_id": "u", "max_results": 10})
    assert answer.status_code == 200
    return {stream["stream_id"] for stream in answer.json()["streams"]}


def set_status(client: httpx.Client, stream: str, is_live: bool) -> None:
    answer = client.put(f"/v1/scenarios/streams/{stream}/status", json={"is_live": is_live})
    assert answer.status_code == 200


def watch(client: httpx.Client, user: str, stream: str) -> None:
    event = {"user_id": user, "item_id": stream, "event_type": "watch", "value": 900}
    assert client.post("/v1/apps/live/events", json=event).json()["accepted"] == 1


def is_known(client: httpx.Client, user: str) -> bool:
    feed = client.get("/v1/apps/live/feeds/home_feed", params={"user_id": user, "n": 3})
    assert feed.status_code == 200
    return not feed.json()["cold_start"]


def trouble(client: httpx.Client) -> Any:
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert ready.json()["features"]["store"] == "redis"
    return ready.json()["features"]["trouble"]


def check_in_step(one: httpx.Client, other: httpx.Client, prefix: str) -> None:
    """What one takes is in the next answer of the other, whoever it is."""
    for number, (taker, asked) in enumerate(((one, other), (other, one)) * 5):
        set_status(taker, "b", False)
        assert live(asked) == set("ac")
        set_status(taker, "b", True)
        assert live(asked) == set("abc")
        assert not is_known(asked, f"{prefix}{number}")
        watch(taker, f"{prefix}{number}", "a")
        assert is_known(asked, f"{prefix}{number}")


def test_what_one_server_takes_is_in_the_next_answer_of_the_other_and_redis_may_come_and_go(
    start_server: StartServer,
    store_url: str,
    tmp_path: Path,
    eventually: Callable[[Callable[[], bool]], None],
) -> None:
    with running_redis() as redis, two_servers(start_server, store_url, tmp_path, redis) as (one, other):
        assert live(other) == set("abc")
        check_in_step(one, other, "u")
        set_status(one, "c", False)
        asked_for = {"user_ids": ["u1", "nobody"], "item_ids": ["c", "none"]}
        features = other.post("/v1/apps/live/features", json=asked_for).json()
        assert (set(features["users"]), set(features["items"])) == ({"u1"}, {"c"})
        assert features["users"]["u1"]["history"]["events"] == {"watch": 1}
        assert features["users"]["u1"]["history"]["latest_items"] == ["a"]
        assert features["items"]["c"]["attributes"]["is_live"] == "false"
        set_status(one, "c", True)
        assert (trouble(one), trouble(other)) == (None, None)

        redis.kill()
        for number in range(30):
            taker, asked = (one, other) if number % 2 else (other, one)
            watch(taker, f"v{number}", "a")
            started = time.monotonic()
            assert is_known(asked, f"v{number}")
            assert time.monotonic() - started < 1.0
        eventually(lambda: bool(trouble(one) and trouble(other)))
        assert 'homefeed_feature_store_up{store="redis"} 0.0' in one.get("/metrics").text
        set_status(one, "b", False)
        eventually(lambda: live(other) == set("ac"))

        redis.start()
        eventually(lambda: trouble(one) is trouble(other) is None)
        assert 'homefeed_feature_store_up{store="redis"} 1.0' in one.get("/metrics").text
        time.sleep(POLL_SECONDS + 0.5)  # by then each has told that it is back
        check_in_step(one, other, "w")
