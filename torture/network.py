"""PostgreSQL and Redis slow, stalled, cut off: reads go on from memory, writes fail honestly and in time.

    python -m torture.network --seconds 15

A server reaches both through a TCP proxy of the trial's own. In each kind of trouble it is asked for feeds of
users it has in memory and of others, and told of events; `late` are answers after more than the wait for the
store and `_SLACK_SECONDS`, `marked` the answers that said that the store is away, `lost` the events that were
acknowledged and are not in the log, `recovered_seconds` how long after the trouble all works again.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
from tests.embedded_postgresql import running_postgresql
from tests.redis_server import running_redis

from torture.counted import logged_events
from torture.lines import trial_folder, write_line
from torture.sample import APP, fill
from torture.servers import HOST, Server, serving
from torture.tcp_proxy import TcpProxy

WAIT_SECONDS: Final = 2.0
_SLACK_SECONDS: Final = 2.0
_KNOWN: Final = 20
_LEAST_TURNS: Final = 2
_API: Final = f"/v1/apps/{APP}"


@dataclass
class Asked:
    """What became of requests of one kind."""

    statuses: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    late: int = 0
    marked: int = 0

    def add(self, answer: httpx.Response | str, seconds: float) -> None:
        """Take account of one."""
        told = answer if isinstance(answer, str) else str(answer.status_code)
        self.statuses[told] += 1
        self.slowest = max(self.slowest, seconds)
        self.late += seconds > WAIT_SECONDS + _SLACK_SECONDS
        self.marked += not isinstance(answer, str) and "X-Homefeed-Degraded" in answer.headers

    def told(self) -> dict[str, Any]:
        """As the line has it."""
        return {
            "answers": dict(self.statuses),
            "slowest_seconds": round(self.slowest, 2),
            "late": self.late,
            "marked": self.marked,
        }


class Trouble:
    """Clients of a server whose neighbours are in trouble."""

    def __init__(self, client: httpx.Client, name: str) -> None:
        self._client, self._name = client, name
        self.kinds = {kind: Asked() for kind in ("known", "new", "event")}
        self.acknowledged: list[str] = []
        self._number = 0

    def go_on(self, seconds: float) -> None:
        """Ask and tell, a few requests at a time, and once more after the trouble was noticed."""
        until = time.monotonic() + seconds
        with ThreadPoolExecutor(6) as pool:
            for turn in count():
                if turn >= _LEAST_TURNS and time.monotonic() >= until:
                    break
                list(pool.map(self._ask, ("known", "known", "new", "event", "event", "known")))
                time.sleep(0.1)

    def _ask(self, kind: str) -> None:
        self._number += 1
        event_id = f"{self._name}-{self._number}-{time.monotonic_ns()}"
        began = time.monotonic()
        answer = self._send(kind, event_id)
        self.kinds[kind].add(answer, time.monotonic() - began)
        if kind == "event" and not isinstance(answer, str) and answer.status_code == 200:
            self.acknowledged.append(event_id)

    def _send(self, kind: str, event_id: str) -> httpx.Response | str:
        try:
            if kind == "event":
                event = {"user_id": "teller", "item_id": "i1", "event_type": "play", "value": 9}
                return self._client.post(f"{_API}/events", json=event | {"event_id": event_id})
            user = f"u{self._number % _KNOWN + 1}" if kind == "known" else event_id
            return self._client.get(f"{_API}/feeds/home", params={"user_id": user, "n": 10})
        except httpx.TransportError as error:
            return type(error).__name__


@contextmanager
def behind_proxies(folder: Path, redis: bool, trained: bool) -> Iterator[tuple[Server, str, TcpProxy, TcpProxy]]:
    """A server with the sample whose PostgreSQL, and Redis if asked for, are behind proxies; and the real URL."""
    with running_postgresql() as url, running_redis() as cache:
        fill(url, folder, trained)
        port = urlsplit(url).port
        assert port
        with TcpProxy.before(port) as store, TcpProxy.before(cache.port) as shared:
            settings = {"max_store_wait_seconds": str(WAIT_SECONDS), "poll_seconds": "0.2"}
            if redis:
                settings["redis_url"] = f"redis://{HOST}:{shared.port}"
            with serving(folder, url.replace(f":{port}/", f":{store.port}/"), **settings) as server:
                yield server, url, store, shared


def trial(folder: Path, seconds: float, redis: bool, trained: bool = True) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each trouble, one after the other: its name, and what was found."""
    with (
        behind_proxies(folder, redis, trained) as (server, url, store, shared),
        httpx.Client(base_url=f"http://{HOST}:{server.port}", timeout=30) as client,
    ):
        troubles: dict[str, tuple[TcpProxy, Callable[[TcpProxy], None]]] = {
            "postgresql slow": (store, lambda proxy: proxy.slow(0.02)),
            "postgresql stalled": (store, TcpProxy.stall),
            "postgresql cut": (store, TcpProxy.cut),
        }
        if redis:
            troubles |= {
                "redis slow": (shared, lambda proxy: proxy.slow(0.05)),
                "redis stalled": (shared, TcpProxy.stall),
                "redis cut": (shared, TcpProxy.cut),
            }
        for number, (name, (proxy, begin)) in enumerate(troubles.items()):
            for user in range(_KNOWN):
                client.get(f"{_API}/feeds/home", params={"user_id": f"u{user + 1}", "n": 9})
            trouble = Trouble(client, f"n{number}")
            begin(proxy)
            trouble.go_on(seconds)
            proxy.heal()
            recovered = _recovered(client)
            found: dict[str, Any] = {kind: asked.told() for kind, asked in trouble.kinds.items()}
            lost = set(trouble.acknowledged) - logged_events(url, f"n{number}-").keys()
            yield name, found | {"lost": len(lost), "recovered_seconds": recovered}


def _recovered(client: httpx.Client) -> float:
    began = time.monotonic()
    while True:
        ready = client.get("/readyz")
        if ready.status_code == 200 and ready.json()["features"]["trouble"] is None:
            return round(time.monotonic() - began, 2)
        assert time.monotonic() - began < 60, ready.text
        time.sleep(0.05)


def main(arguments: Sequence[str] | None = None) -> None:
    """A line for each trouble, of a server alone and of one with a Redis."""
    parser = ArgumentParser()
    parser.add_argument("--seconds", type=float, default=15, help="Of each trouble.")
    options = parser.parse_args(arguments)
    for redis in (False, True):
        with trial_folder() as folder:
            for name, found in trial(folder, options.seconds, redis):
                write_line("network", redis=redis, trouble=name, **found)


if __name__ == "__main__":
    main()
