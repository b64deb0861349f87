"""What every feature store keeps to: one suite for that in memory and that in a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.redis_server import RedisServer, redis_is_installed, running_redis

from homefeed.serving.features.breaker import Breaker
from homefeed.serving.features.memory import MemoryFeatures
from homefeed.serving.features.redis import RedisFeatures
from homefeed.serving.features.store import MOST_BYTES, MOST_KEYS, FeatureStore


class Seconds:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    if not redis_is_installed():
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    with running_redis() as running:
        yield running


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture(params=["memory", "redis"])
async def store(request: pytest.FixtureRequest, seconds: Seconds) -> AsyncIterator[FeatureStore]:
    if request.param == "memory":
        yield MemoryFeatures(clock=seconds)
        return
    opened = RedisFeatures(request.getfixturevalue("server").url, timeout=1.0)
    await opened._redis.flushall()
    yield opened
    await opened.close()


async def test_what_was_written_is_read_in_the_order_asked_for(store: FeatureStore) -> None:
    await store.write({"a": b"1", "b": bytes(range(256)), "ü \n": b""}, 60)
    assert await store.read(["b", "none", "a", "ü \n", "a"]) == [bytes(range(256)), None, b"1", b"", b"1"]
    assert (store.stats.hits, store.stats.misses, store.trouble) == (4, 1, None)


async def test_the_last_write_of_a_key_wins(store: FeatureStore) -> None:
    await store.write({"a": b"1", "b": b"2"}, 60)
    await store.write({"a": b"3"}, 60)
    assert await store.read(["a", "b"]) == [b"3", b"2"]


async def test_nothing_is_asked_and_nothing_written(store: FeatureStore) -> None:
    await store.write({}, 60)
    await store.delete([])
    assert await store.read([]) == []
    assert (store.stats.hits, store.stats.misses) == (0, 0)


async def test_values_are_kept_for_so_long(store: FeatureStore, seconds: Seconds) -> None:
    await store.write({"short": b"1"}, 1)
    await store.write({"long": b"2"}, 3_600)
    assert await store.read(["short", "long"]) == [b"1", b"2"]
    seconds.now = 1.0
    if isinstance(store, RedisFeatures):
        assert 0 < await store._redis.pttl("short") <= 1_000
        assert 3_500_000 < await store._redis.pttl("long") <= 3_600_000
        await store._redis.pexpire("short", 0)  # what a second would do
    assert await store.read(["short", "long"]) == [None, b"2"]


async def test_what_is_replaced_stays_and_tells_what_was_there(store: FeatureStore, seconds: Seconds) -> None:
    assert await store.replace("mark", b"1") is None
    assert await store.replace("mark", b"2") == b"1"
    seconds.now = 1e9
    assert await store.read(["mark"]) == [b"2"]


async def test_what_is_deleted_is_gone(store: FeatureStore) -> None:
    await store.write({"a": b"1", "b": b"2"}, 60)
    await store.delete(["a", "none"])
    assert await store.read(["a", "b"]) == [None, b"2"]


async def test_a_call_has_limits(store: FeatureStore) -> None:
    keys = [f"{n}" for n in range(MOST_KEYS)]
    await store.write(dict.fromkeys(keys, b"x"), 60)
    assert await store.read(keys) == [b"x"] * MOST_KEYS
    with pytest.raises(ValueError, match="more than 1,024 keys in a call"):
        await store.read([*keys, "more"])
    await store.write({"large": bytes(MOST_BYTES)}, 60)
    with pytest.raises(ValueError, match="large: a value of more than 524,288 bytes"):
        await store.write({"large": bytes(MOST_BYTES + 1)}, 60)


async def test_many_calls_at_once_get_their_own_answers(store: FeatureStore) -> None:
    await store.write({f"{n}": f"{n}".encode() for n in range(300)}, 60)
    found = await asyncio.gather(*(store.read([f"{n}", f"{n + 1}"]) for n in range(299)))
    assert found == [[f"{n}".encode(), f"{n + 1}".encode()] for n in range(299)]


async def test_memory_has_room_for_so_much_and_keeps_what_is_used() -> None:
    store = MemoryFeatures(max_bytes=3 * (1_000 + 301))
    for key in "abc":
        await store.write({key: bytes(1_000)}, 60)
    await store.read(["a"])
    await store.write({"d": bytes(1_000)}, 60)
    assert [value is not None for value in await store.read(["a", "b", "c", "d"])] == [True, False, True, True]
    await store.delete(["a", "c", "d"])
    assert store.size == 0


async def test_a_redis_that_is_killed_answers_nothing_and_is_found_again(seconds: Seconds) -> None:
    if not redis_is_installed():
        pytest.skip("redis-server is not installed: apt-get install redis-server")
    with running_redis() as server:
        store = RedisFeatures(server.url, 1.0, Breaker(failures=2, pause=5.0, clock=seconds))
        await store.write({"a": b"1"}, 60)
        assert await store.read(["a"]) == [b"1"]
        server.kill()
        for _ in range(4):
            assert await store.read(["a"]) == [None]
            await store.write({"a": b"2"}, 60)
        assert store.trouble is not None
        assert (store.stats.failed, store.stats.passed_over) == (2, 6)
        server.start()
        assert await store.read(["a"]) == [None]
        assert store.stats.passed_over == 7
        seconds.now = 5.0
        await store.write({"a": b"3"}, 60)
        assert await store.read(["a"]) == [b"3"]
        assert not store.trouble
        await store.close()


async def test_a_redis_that_is_silent_is_not_waited_for(server: RedisServer) -> None:
    store = RedisFeatures(server.url, 0.02, Breaker(failures=3, pause=60))
    await store.write({"a": b"1"}, 60)
    loop = asyncio.get_running_loop()
    with server.frozen():
        started = loop.time()
        for _ in range(100):
            assert await store.read(["a"]) == [None]
        assert loop.time() - started < 1.0
    assert (store.trouble, store.stats.failed, store.stats.passed_over) == ("it does not answer in time", 3, 97)
    await store.close()
    # Answers that came too late are nobody else's.
    store = RedisFeatures(server.url, 0.02, Breaker(failures=100))
    await store.write({"a": b"1", "b": b"2"}, 60)
    with server.frozen():
        assert await store.read(["a"]) == [None]
    for _ in range(20):
        assert await store.read(["b"]) == [b"2"]
    await store.close()


async def test_an_event_loop_that_is_busy_is_no_trouble_of_redis(server: RedisServer) -> None:
    import time

    store = RedisFeatures(server.url, 0.02)
    await store.write({"a": b"1"}, 60)

    async def compute() -> None:
        for _ in range(4):
            time.sleep(0.03)  # noqa: ASYNC251 - a request that computes
            await asyncio.sleep(0)

    found, _ = await asyncio.gather(store.read(["a"]), compute())
    assert (found, store.stats.failed) == ([b"1"], 0)
    await store.close()


@pytest.mark.parametrize("address", ["redis://:sekret@127.0.0.1:1", "redis://user:sekret@no-such-host.invalid"])
async def test_no_message_tells_a_password(address: str, capfd: pytest.CaptureFixture[str]) -> None:
    store = RedisFeatures(address)
    await store.open()
    assert await store.read(["a"]) == [None]
    assert store.trouble
    told = capfd.readouterr()
    assert "Redis is away" in told.out + told.err
    assert "sekret" not in told.out + told.err + store.trouble + repr(store)
    await store.close()


@pytest.mark.parametrize("obstacle", ["full", "another type"])
async def test_what_cannot_be_put_leaves_nothing_and_is_told_once(
    obstacle: str, server: RedisServer, capfd: pytest.CaptureFixture[str]
) -> None:
    store = RedisFeatures(server.url, timeout=1.0)
    await store._redis.flushall()
    await store.replace("mark", b"old")
    if obstacle == "full":
        await store._redis.config_set("maxmemory", "1")
    else:
        await store.delete(["mark"])
        await store._redis.lpush("mark", "a")
    try:
        for _ in range(3):
            await store.replace("mark", b"new")
        assert await store.read(["mark"]) == ([None] if obstacle == "full" else [b"new"])
    finally:
        await store._redis.config_set("maxmemory", "0")
    told = capfd.readouterr()
    assert (told.out + told.err).count("Redis is away") == 1
    await store.replace("mark", b"newer")
    assert await store.read(["mark"]) == [b"newer"]
    await store.close()
