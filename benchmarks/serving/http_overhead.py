"""What HTTP adds to a page: routing, checks and JSON, called in process, the feeds' answers given beforehand.

    python -m benchmarks.serving.http_overhead --home HOME

HOME is one that `benchmarks.serving.answers prepare` made. Prints one JSON line a page: microseconds a request
over what a FastAPI route that does nothing costs in the same run, which stands first.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
from fastapi import FastAPI

from benchmarks.serving.bare import app as bare
from benchmarks.serving.stores import START, application
from homefeed.environment import random_id

_ROUNDS: Final = 40
_REQUESTS: Final = 60
_BARE: Final = "/page?user_id=u7&k=10"
_PAGES: Final = {
    "health": "/healthz",
    "community": "/v1/reco/homefeed?user_id=u7&limit=10",
    "streaming": "/recommendations?user_id=u7&k=10",
    "streaming popular": "/popular?k=10",
    "generic": "/v1/apps/streaming/feeds/home?user_id=u7&n=10",
    "generic of 20": "/v1/apps/community/feeds/home?user_id=u7",
    "shop home": "/recommendations/home?user_id=u7",
    "shop product": "/recommendations/product/{product}",
    "shop search": "/recommendations/search?query=wireless%20headphones&response_limit=20",
}


class Given:
    """A live app whose feeds answer what they answered the first time."""

    def __init__(self, live: Any) -> None:
        self._live = live
        self._known: dict[Any, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._live, name)

    async def recommend(self, request: Any) -> Any:
        """One answer."""
        key = orjson.dumps(request, default=str)
        if key not in self._known:
            self._known[key] = await self._live.recommend(request)
        return self._known[key]

    async def recommend_together(self, requests: Sequence[Any]) -> Any:
        """Answers of one moment."""
        key = orjson.dumps(list(requests), default=str)
        if key not in self._known:
            self._known[key] = await self._live.recommend_together(requests)
        return self._known[key]


async def request(app: Callable[..., Awaitable[None]], target: str) -> tuple[int, bytes]:
    """Status and body of a GET, as a server would call the application."""
    parts = urlsplit(target)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "root_path": "",
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [(b"host", b"127.0.0.1:8000"), (b"user-agent", b"load"), (b"accept", b"*/*")],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 8_000),
        "state": {},
    }
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Mapping[str, Any]) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


async def microseconds(app: FastAPI, target: str) -> float:
    """The time of a request in the quickest of the rounds: other programs disturb all but a few."""
    rounds = []
    for _ in range(_ROUNDS):
        started = time.process_time()
        for _ in range(_REQUESTS):
            await request(app, target)
        rounds.append((time.process_time() - started) / _REQUESTS * 1e6)
    return min(rounds)


async def measure(home: Path) -> None:
    """Print a line a page."""
    app = application(home, lambda: START, random_id)
    async with app.router.lifespan_context(app):
        context = app.state.context
        app.state.context = replace(context, apps={name: Given(live) for name, live in context.apps.items()})
        product = context.apps["shop"].catalog.item_id(7)
        floor = await microseconds(bare, _BARE)
        print(orjson.dumps({"page": "bare", "microseconds": round(floor, 1)}).decode())
        for name, path in _PAGES.items():
            target = path.format(product=product)
            status, body = await request(app, target)
            took = await microseconds(app, target)
            line = {"page": name, "microseconds": round(took, 1), "above_bare": round(took - floor, 1)}
            print(orjson.dumps(line | {"status": status, "bytes": len(body)}).decode(), flush=True)


def main() -> None:
    """Measure the pages of a home."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--home", type=Path, required=True, help="a folder that `answers prepare` made")
    asyncio.run(measure(parser.parse_args().home))


if __name__ == "__main__":
    main()
