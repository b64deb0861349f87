"""The client that waits for its answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
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


def _one(make: Callable[P, Call[T]]) -> Callable[Concatenate[Client, P], T]:
    """A method that makes a call."""

    @wraps(make)
    def method(client: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client._run(make(*args, **kwargs))

    return method


def _pages(make: Callable[P, Call[L]]) -> Callable[Concatenate[Client, P], Iterator[L]]:
    """A method that goes from page to page."""

    @wraps(make)
    def method(client: Client, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[L]:
        call = make(*args, **kwargs)
        while True:
            page = client._run(call)
            yield page
            if page.next_cursor is None:
                return
            call = call.beyond(page.next_cursor)

    return method


def _every(make: Callable[P, Call[Any]], _kind: type[T]) -> Callable[Concatenate[Client, P], Iterator[T]]:
    """A method that goes through what is on all pages, each of a kind."""
    pages = _pages(make)

    @wraps(make)
    def method(client: Client, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        for page in pages(client, *args, **kwargs):
            yield from page.items

    return method


def _many(make: Callable[P, Iterator[Call[Outcome] | Outcome]]) -> Callable[Concatenate[Client, P], Outcome]:
    """A method that makes as many calls as it takes, and says what became of all."""

    @wraps(make)
    def method(client: Client, /, *args: P.args, **kwargs: P.kwargs) -> Outcome:
        outcome = Outcome()
        for call in make(*args, **kwargs):
            outcome += call if isinstance(call, Outcome) else client._run(call)
        return outcome

    return method


class Client:
    """One app of a server.

        with Client("http://127.0.0.1:8000", "news") as client:
            page = client.recommend("home", user_id="ada")

    What cannot be had is tried again by `retries`, then it is an error of `homefeed.client`. Several threads may
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
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._exchange = Exchange(url, app, retries)
        self._http = httpx.Client(timeout=timeout, headers=said(api_key, token, headers), transport=transport)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self, call: Call[T]) -> T:
        attempt, outcome = 1, self._send(call)
        while (seconds := self._exchange.wait(attempt, outcome)) is not None:
            time.sleep(seconds)
            attempt, outcome = attempt + 1, self._send(call)
        return self._exchange.read(call, outcome, attempt)

    def _send(self, call: Call[Any]) -> httpx.Response | httpx.RequestError:
        try:
            return self._http.request(**self._exchange.request(call))
        except httpx.RequestError as error:
            return error
