"""The feature store that replicas share: in Redis, behind a circuit breaker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, TypeVar

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from homefeed.serving.features.breaker import Breaker, patience
from homefeed.serving.features.store import FeatureStore, FeatureStoreStats, check_keys, check_values

_log = structlog.get_logger(__name__)

_CONNECTIONS: Final = 64
_SECONDS_TO_OPEN: Final = 2.0
_QUIET_SECONDS: Final = 60.0
"""What answers some calls and fails others is told of no more often."""

T = TypeVar("T")


class RedisFeatures(FeatureStore):
    """Values in Redis. A call takes `timeout` seconds at the most, connecting included, and is never repeated.

    What goes wrong is never an error to the caller: nothing is found. `address` may hold a password, which no
    message tells.
    """

    name: ClassVar = "redis"
    shared: ClassVar = True

    def __init__(self, address: str, timeout: float = 0.02, breaker: Breaker | None = None) -> None:
        self._redis: Redis = Redis.from_url(
            address,
            max_connections=_CONNECTIONS + 1,  # one that was cut short may not be back yet
            # The deadline is `patience`, of the whole call; those of the client do not know how busy the loop is.
            socket_timeout=None,
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        self._timeout, self._breaker = timeout, breaker or Breaker()
        self._slots = asyncio.Semaphore(_CONNECTIONS)
        self._stats = FeatureStoreStats()
        self._trouble: str | None = None
        self._is_told, self._quiet_until = False, 0.0

    @property
    def trouble(self) -> str | None:
        """Why nothing is found, as far as the last calls tell; None where Redis answers."""
        return self._trouble

    @property
    def stats(self) -> FeatureStoreStats:
        """What was asked for and found."""
        return self._stats

    async def open(self) -> None:
        """Connect, with more patience than requests have; it need not succeed."""
        await self._call(self._redis.ping, None, _SECONDS_TO_OPEN)

    async def read(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys, in their order, by one MGET; None for those that are not there."""
        check_keys(keys)
        if not keys:
            return []
        nothing: list[bytes | None] = [None] * len(keys)
        found = await self._call(lambda: self._redis.mget(keys), nothing)
        hits = len(found) - found.count(None)
        self._stats.hits += hits
        self._stats.misses += len(found) - hits
        return found

    async def write(self, values: Mapping[str, bytes], seconds: int) -> None:
        """Keep values for so many seconds, by one pipeline."""
        check_values(values)

        async def send() -> None:
            async with self._redis.pipeline(transaction=False) as pipeline:
                for key, value in values.items():
                    pipeline.set(key, value, ex=seconds)
                await pipeline.execute()

        if values:
            await self._call(send, None)

    async def replace(self, key: str, value: bytes) -> bytes | None:
        """Put a value that stays, by one SET ... GET; answers the one before. If it cannot be put, none stays."""
        check_values({key: value})

        async def send() -> Any:
            try:
                return await self._redis.set(key, value, get=True)
            except ResponseError:
                # It is full, or the key of another type. What is gone cannot be taken for the latest.
                await self._redis.delete(key)
                raise

        return await self._call(send, None)

    async def delete(self, keys: Sequence[str]) -> None:
        """Forget keys, by one DEL."""
        check_keys(keys)
        if keys:
            await self._call(lambda: self._redis.delete(*keys), None)

    async def probe(self) -> None:
        """Find out whether Redis answers, for `trouble` to tell."""
        await self._call(self._redis.ping, None)

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()

    async def _call(self, make: Callable[[], Awaitable[Any]], otherwise: T, seconds: float | None = None) -> T:
        """What a command answers; `otherwise` where it is not made, fails or takes too long."""
        if not self._breaker.admits():
            self._stats.passed_over += 1
            return otherwise
        started = time.perf_counter()
        try:
            async with patience(seconds or self._timeout), self._slots:
                answer: T = await make()
        except (RedisError, OSError) as error:  # TimeoutError is an OSError
            self._stats.failed += 1
            self._breaker.failed()
            self._note(error)
            return otherwise
        finally:
            self._stats.took(time.perf_counter() - started)
        self._stats.answered += 1
        self._breaker.succeeded()
        if self._is_told:
            _log.info("Redis answers again", after=self._trouble)
            self._is_told = False
        self._trouble = None
        return answer

    def _note(self, error: Exception) -> None:
        trouble = "it does not answer in time" if isinstance(error, TimeoutError) else type(error).__name__
        now = time.monotonic()
        if self._trouble is None and now >= self._quiet_until:
            _log.error("Redis is away; requests go on without it", trouble=trouble)
            self._is_told, self._quiet_until = True, now + _QUIET_SECONDS
        self._trouble = trouble
