"""Rates: so many requests of a key and of a user, then 429 with when to come again."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from prometheus_client import Counter
from starlette.exceptions import HTTPException
from starlette.responses import Response
from tests.redis_server import redis_is_installed, running_redis

from homefeed.api.rates import RateLimitMiddleware, Rates, charge
from homefeed.errors import SettingsError
from homefeed.principals import Principal
from homefeed.settings import Settings, load_settings

BACK_END = Principal("k1", "write", "films")
PHONE = Principal("token:films", "write", "films", "u1")


def rates(home: Path, **asked: str) -> Rates:
    limited = Counter("limited", "", ("limit",), registry=None)
    return Rates(Settings(home=home, **asked), limited)  # type: ignore[arg-type]


async def admitted(limits: Rates, principal: Principal, user: str | None = None, times: int = 1) -> list[bool]:
    found = [await limits.admit(principal, user, principal.app) for _ in range(times)]
    return [all(standing.admitted for standing in each) for each in found]


async def test_a_key_may_ask_so_often(tmp_path: Path) -> None:
    limits = rates(tmp_path, rate_limit_key="3/hour")
    assert await admitted(limits, BACK_END, times=5) == [True, True, True, False, False]
    assert await admitted(limits, Principal("k2", "read")) == [True], "each key has its own"


async def test_a_user_may_ask_so_often_whatever_key_asks(tmp_path: Path) -> None:
    limits = rates(tmp_path, rate_limit_user="2/hour")
    assert await admitted(limits, BACK_END, "u1", 3) == [True, True, False]
    assert await admitted(limits, PHONE, "u1") == [False]
    assert await admitted(limits, BACK_END, "u2") == [True]
    assert await admitted(limits, Principal("k", "read", "news"), "u1") == [True], "of another app"
    assert await admitted(limits, BACK_END, None, 3) == [True] * 3, "nobody is no user"


async def test_what_the_key_may_not_ask_does_not_count_for_the_user(tmp_path: Path) -> None:
    limits = rates(tmp_path, rate_limit_key="1/hour", rate_limit_user="2/hour")
    assert await admitted(limits, BACK_END, "u1", 4) == [True, False, False, False]
    assert await admitted(limits, PHONE, "u1") == [True]


async def test_what_the_user_may_not_ask_does_not_count_for_the_key(tmp_path: Path) -> None:
    limits = rates(tmp_path, rate_limit_key="3/hour", rate_limit_user="1/hour")
    assert await admitted(limits, BACK_END, "u1", 5) == [True, False, False, False, False]
    assert await admitted(limits, BACK_END, "u2") == [True]
    assert await admitted(limits, BACK_END, times=2) == [True, False]


@pytest.mark.parametrize("asked", [{}, {"rate_limit_user": "9/hour"}])
async def test_one_users_token_takes_nothing_from_anothers(tmp_path: Path, asked: dict[str, str]) -> None:
    limits = rates(tmp_path, rate_limit_key="3/hour", **asked)
    assert await admitted(limits, PHONE, "u1", 5) == [True, True, True, False, False]
    assert await admitted(limits, Principal(PHONE.name, "write", "films", "u2"), "u2", 4) == [True] * 3 + [False]


async def test_ids_that_look_alike_are_told_apart(tmp_path: Path) -> None:
    limits = rates(tmp_path, rate_limit_user="1/hour")
    for user in ("a/b", "a", "a:b", "a%2Fb", "", "é", "*"):
        assert await admitted(limits, BACK_END, user, 2) == [True, False]


async def answer_to(limits: Rates, path: str, query: str = "") -> httpx.Response:
    """A server that charges each request as the guard does."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        user = dict(parse_qsl(scope["query_string"].decode())).get("user_id")
        try:
            await charge(scope, BACK_END, "films", user)
        except HTTPException as error:
            await Response(status_code=error.status_code, headers=error.headers)(scope, receive, send)
        else:
            await Response()(scope, receive, send)

    async def with_state(scope: Any, receive: Any, send: Any) -> None:
        await RateLimitMiddleware(app, limits)({**scope, "state": {}}, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(with_state), base_url="http://films") as client:
        return await client.get(f"{path}?{query}")


async def test_an_answer_says_how_the_user_stands_and_a_refusal_when_to_come_again(tmp_path: Path) -> None:
    limits = rates(tmp_path, rate_limit_user="1/minute")
    answer = await answer_to(limits, "/v1/apps/films/feeds/home", "n=3&user_id=u%201")
    assert answer.status_code == 200
    assert answer.headers["RateLimit-Policy"] == '"user";q=1;w=60'
    assert answer.headers["RateLimit"].startswith('"user";r=0;t=')
    answer = await answer_to(limits, "/v1/apps/films/feeds/home", "user_id=u+1")
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 120
    assert limits.limited.labels("user")._value.get() == 1
    assert (await answer_to(limits, "/metrics", "user_id=u+1")).status_code == 200


@pytest.mark.parametrize("rate", ["0/minute", "10", "10/fortnight", "-1/second", "10/minute; 5/second", ""])
def test_a_rate_that_is_none_is_an_error(rate: str) -> None:
    with pytest.raises(SettingsError, match=r"rate_limit_key: .*600/minute"):
        load_settings(rate_limit_key=rate)


@pytest.mark.skipif(not redis_is_installed(), reason="no redis-server here")
async def test_replicas_count_together_in_a_redis_and_alone_without_it(tmp_path: Path) -> None:
    with running_redis() as redis:
        asked = {"redis_url": redis.url, "redis_timeout_seconds": "5", "rate_limit_user": "3/hour"}
        one, other = rates(tmp_path, **asked), rates(tmp_path, **asked)
        assert await admitted(one, BACK_END, "u1", 2) == [True, True]
        assert await admitted(other, BACK_END, "u1", 2) == [True, False]
        redis.kill()
        assert await admitted(other, BACK_END, "u1", 4) == [True, True, True, False]
        await one.close()
        await other.close()


@pytest.mark.skipif(not redis_is_installed(), reason="no redis-server here")
async def test_in_a_redis_refused_requests_count_for_nobody_too(tmp_path: Path) -> None:
    with running_redis() as redis:
        asked = {"redis_url": redis.url, "redis_timeout_seconds": "5"}
        limits = rates(tmp_path, rate_limit_key="2/hour", rate_limit_user="1/hour", **asked)
        assert await admitted(limits, BACK_END, "u1", 3) == [True, False, False]
        assert await admitted(limits, BACK_END, "u2", 1) == [True]
        assert await admitted(limits, BACK_END, "u3", 1) == [False]
        assert await admitted(limits, Principal("k2", "write", "films"), "u3") == [True]
        await limits.close()


async def test_a_redis_that_does_not_answer_is_passed_over(tmp_path: Path) -> None:
    limits = rates(tmp_path, rate_limit_key="2/hour", redis_url="redis://127.0.0.1:1")
    assert await admitted(limits, BACK_END, times=4) == [True, True, False, False]
    await limits.close()
