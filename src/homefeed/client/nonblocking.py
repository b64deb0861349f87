"""The client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx

from homefeed.client import calls
from homefeed.client.answers import Outcome
from homefeed.client.calls import Call
from homefeed.client.exchange import RETRIES, TIMEOUT_SECONDS, Exchange, Listing, said
from homefeed.client.records import Item, User
from homefeed.client.retries import Retries

P = ParamSpec("P")
T = TypeVar("T")
L = TypeVar("L", bound=Listing[Any])


def _one(make: Callable[P, Call[T]]) -> Callable[Concatenate[AsyncClient, P], Awaitable[T]]:
    """A method that makes a call."""

    @wraps(make)
    async def method(client: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await client._run(make(*args, **kwargs))

    return method


def _pages(make: Callable[P, Call[L]]) -> Callable[Concatenate[AsyncClient, P], AsyncIterator[L]]:
    """A method that goes from page to page."""

    @wraps(make)
    async def method(client: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[L]:
        call = make(*args, **kwargs)
        while True:
            page = await client._run(call)
            yield page
            if page.next_cursor is None:
                return
            call = call.beyond(page.next_cursor)

    return method


def _every(
    make: Callable[P, Call[Any]], _kind: type[T]
) -> Callable[Concatenate[AsyncClient, P], AsyncIterator[T]]:
    """A method that goes through what is on all pages, each of a kind."""
    pages = _pages(make)

    @wraps(make)
    async def method(client: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        async for page in pages(client, *args, **kwargs):
            for element in page.items:
                yield element

    return method


def _many(
    make: Callable[P, Iterator[Call[Outcome] | Outcome]],
) -> Callable[Concatenate[AsyncClient, P], Awaitable[Outcome]]:
    """A method that makes as many calls as it takes, and says what became of all."""

    @wraps(make)
    async def method(client: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> Outcome:
        outcome = Outcome()
        for call in make(*args, **kwargs):
            outcome += call if isinstance(call, Outcome) else await client._run(call)
        return outcome

    return method


class AsyncClient:
    """One app of a server.

        async with AsyncClient("http://127.0.0.1:8000", "news") as client:
            page = await client.recommend("home", user_id="ada")

    What cannot be had is tried again by `retries`, then it is an error of `homefeed.client`. Several tasks may
    share one.

    Args:
        url: Where the server is.
        app: The name of the app there.
        timeout: How many seconds to wait for a connection, and for each part of an answer.
        retries: When to try again.
        api_key: The key of a back end.
        token: The token of a user, in place of a key.
        headers: What every request says besides, such as what a proxy asks for.
        transport: How requests are sent, for tests and proxies; httpx's own without it.
    """

    recommend = _one(calls.recommend)
    pages = _pages(calls.recommend)
    similar = _one(calls.similar)
    search = _one(calls.search)
    explain = _one(calls.explain)

    record = _one(calls.record)
    record_events = _many(calls.record_events)

    items = _every(calls.items, Item)
    get_item = _one(calls.get_item)
    put_item = _one(calls.put_item)
    put_items = _many(calls.put_items)
    patch_item = _one(calls.patch_item)
    patch_items = _many(calls.patch_items)
    delete_item = _one(calls.delete_item)

    users = _every(calls.users, User)
    get_user = _one(calls.get_user)
    put_user = _one(calls.put_user)
    put_users = _many(calls.put_users)
    patch_user = _one(calls.patch_user)
    erase_user = _one(calls.erase_user)

    apps = _one(calls.apps)
    stats = _one(calls.stats)

    def __init__(
        self,
        url: str,
        app: str,
        *,
        timeout: float = TIMEOUT_SECONDS,
        retries: Retries = RETRIES,
        api_key: str | None = None,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._exchange = Exchange(url, app, retries)
        self._http = httpx.AsyncClient(timeout=timeout, headers=said(api_key, token, headers), transport=transport)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _run(self, call: Call[T]) -> T:
        attempt, outcome = 1, await self._send(call)
        while (seconds := self._exchange.wait(attempt, outcome)) is not None:
            await asyncio.sleep(seconds)
            attempt, outcome = attempt + 1, await self._send(call)
        return self._exchange.read(call, outcome, attempt)

    async def _send(self, call: Call[Any]) -> httpx.Response | httpx.RequestError:
        try:
            return await self._http.request(**self._exchange.request(call))
        except httpx.RequestError as error:
            return error
