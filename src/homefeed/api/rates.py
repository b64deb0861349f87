"""How often a key, and a user, may ask: the settings `rate_limit_key` and `rate_limit_user`.

Replicas with a Redis count together; without one, and while it is away, each process counts for itself.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from prometheus_client import Counter
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from homefeed.api.windows import Standing, Windows
from homefeed.errors import SettingsError
from homefeed.principals import Principal
from homefeed.serving.features.breaker import Breaker, patience
from homefeed.settings import Settings

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.aio.strategies import RateLimiter
    from redis.asyncio import ConnectionPool

_RATES: Final = "rates"
_STANDINGS: Final = "standings"
_METRICS: Final = "/metrics"


def headers_of(standing: Standing) -> Mapping[str, str]:
    """As an answer tells it, in the fields of draft-ietf-httpapi-ratelimit-headers."""
    return {
        "RateLimit-Policy": f'"{standing.name}";q={standing.limit};w={standing.window}',
        "RateLimit": f'"{standing.name}";r={standing.remaining};t={standing.reset}',
    }


class Rates:
    """Counts requests by sliding windows: in Redis where there is one and answers in time, else in memory.

    `limited` counts what is refused.
    """

    def __init__(self, settings: Settings, limited: Counter) -> None:
        from limits import parse

        self.limited = limited
        asked = {"user": settings.rate_limit_user, "key": settings.rate_limit_key}
        self._limits = {name: parse(text) for name, text in asked.items() if text}
        self._own = {name: Windows(name, limit) for name, limit in self._limits.items()}
        self._pool = _pool(settings)
        self._shared = None if self._pool is None else _in_redis(self._pool, f"{settings.redis_prefix}:rates")
        self._breaker, self._seconds = Breaker(), settings.redis_timeout_seconds

    async def admit(self, principal: Principal, user: str | None, app: str | None = None) -> list[Standing]:
        """Count a request of a key, and of an app's user where one is known; how each stands after it.

        A request that one of them may not make counts for neither. A user's tokens are a key of their own: what
        one user asks takes nothing from another.
        """
        key = principal.name if principal.user is None else f"{principal.name}:{principal.user}"
        of = {"user": None if user is None else f"{app or ''}:{user}", "key": key}
        asked = [(name, quote(who, safe="")) for name in self._limits if (who := of[name]) is not None]
        for name, who in asked[1:]:
            standing = await self._ask(name, who, counts=False)
            if not standing.admitted:
                return [standing]
        found: list[Standing] = []
        for name, who in asked:
            found.append(await self._ask(name, who, counts=True))
            if not found[-1].admitted:
                break
        return found

    async def close(self) -> None:
        """Give the connections back."""
        if self._pool is not None:
            await self._pool.disconnect()

    async def _ask(self, name: str, who: str, *, counts: bool) -> Standing:
        if self._shared is not None and self._breaker.admits():
            try:
                async with patience(self._seconds):
                    standing = await _ask_redis(self._shared, name, self._limits[name], who, counts=counts)
            except Exception:  # a limit is no reason to fail a request, whatever a client of Redis raises
                self._breaker.failed()
            else:
                self._breaker.succeeded()
                return standing
        own = self._own[name]
        return own.count(who) if counts else own.look(who)


async def _ask_redis(limiter: RateLimiter, name: str, limit: RateLimitItem, who: str, *, counts: bool) -> Standing:
    admitted = await (limiter.hit if counts else limiter.test)(limit, name, who)
    reset_at, remaining = await limiter.get_window_stats(limit, name, who)
    reset = max(math.ceil(reset_at - time.time()), 1)
    return Standing(name, limit.amount, limit.get_expiry(), remaining, reset, admitted)


def _pool(settings: Settings) -> ConnectionPool | None:
    address = settings.redis_address
    if address is None:
        return None
    try:
        from redis.asyncio import ConnectionPool
    except ModuleNotFoundError as error:
        raise SettingsError(f"Redis needs {error.name}: pip install 'homefeed[redis]'") from None
    return ConnectionPool.from_url(address, protocol=2)


def _in_redis(pool: ConnectionPool, prefix: str) -> RateLimiter:
    from limits.aio.storage import RedisStorage
    from limits.aio.strategies import SlidingWindowCounterRateLimiter

    options: dict[str, Any] = {"connection_pool": pool, "key_prefix": prefix}
    return SlidingWindowCounterRateLimiter(RedisStorage("async+redis://", implementation="redispy", **options))


async def charge(scope: Scope, principal: Principal, app: str, user: str | None) -> None:
    """Count a request for who sends it and for the user of an app whom it names, where rates are limited.

    Raises:
        HTTPException: 429, it is one too many.
    """
    state = scope["state"]
    rates: Rates | None = state.get(_RATES)
    if rates is None or scope["path"] == _METRICS:
        return
    standings = state[_STANDINGS] = await rates.admit(principal, user, app)
    refused = next((standing for standing in standings if not standing.admitted), None)
    if refused is not None:
        rates.limited.labels(refused.name).inc()
        detail = f"more than {refused.limit} requests of this {refused.name} in {refused.window} s; "
        raise HTTPException(429, f"{detail}wait {refused.reset} s", {"Retry-After": str(refused.reset)})


class RateLimitMiddleware:
    """Has the guard charge requests, once it knows who sends them, and tells in answers how each stands."""

    def __init__(self, app: ASGIApp, rates: Rates) -> None:
        self._app, self._rates = app, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope["state"]
        state[_RATES] = self._rates

        async def send_with_standing(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for standing in state.get(_STANDINGS, ()):
                    for field, value in headers_of(standing).items():
                        headers.append(field, value)
            await send(message)

        await self._app(scope, receive, send_with_standing)
